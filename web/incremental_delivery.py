"""Sends answers in parts, for ``@defer`` and ``@stream``: incremental delivery over HTTP (RFC "Incremental
Delivery").

The form is that of GraphQL.js 17: ``pending`` names what will come, ``incremental`` brings it, ``completed`` ends it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from typing import Any

import msgspec
from graphql import GraphQLError
from graphql.execution import InitialIncrementalExecutionResult, SubsequentIncrementalExecutionResult
from starlette.responses import StreamingResponse
from starlette.types import Send
from strawberry.http.streaming import MultipartTransport
from strawberry.types.execution import ExecutionResult

from engine import AnswerTooLarge, Stopped
from gateway import Gateway, GraphQLAnswer, PreparedRequest, answer_of, codes_of, field_error, stopped_by
from web.cache_headers import Headers
from web.content_negotiation import Accepted


def wants_parts(takes: Accepted, prepared: PreparedRequest) -> bool:
    """Return whether the answer comes in parts. A client that does not ask for parts gets it whole."""
    return takes.parts and prepared.has_parts


def in_parts(gateway: Gateway, prepared: PreparedRequest, headers: Headers) -> StreamingResponse:
    """Return a response that sends the parts as they come."""
    transport = MultipartTransport()

    async def parts() -> AsyncGenerator[object, None]:
        rest = _Rest(gateway.run_limits.answer_bytes, gateway.measurements.told)
        try:
            async with aclosing(gateway.parts(prepared)) as results:
                async for result in results:
                    yield rest.part(result)
        except Stopped as stopped:
            yield rest.stopped(stopped)

    arriving = parts()
    response = _Parts(transport.stream(lambda: arriving, _encoded)())
    response.arriving = arriving
    response.raw_headers = [
        *((name.lower().encode(), value.encode()) for name, value in transport.headers.items()),
        *headers,
    ]
    return response


class _Parts(StreamingResponse):
    body_iterator: AsyncGenerator[str, None]
    arriving: AsyncGenerator[object, None]

    async def stream_response(self, send: Send) -> None:
        # A client may leave while something is being sent; then nobody else would end the work, which ends in the
        # context that it began in. Strawberry's transport leaves that to the garbage collector.
        async with aclosing(self.arriving), aclosing(self.body_iterator):
            await super().stream_response(send)


class _Rest:
    """Tracks what is still to come, and how many bytes it may have."""

    def __init__(self, most_bytes: int, told: Callable[[Iterable[str]], None]) -> None:
        """``told`` is given the codes of the errors that the client is told."""
        self._most_bytes = most_bytes
        self._told = told
        self._bytes = 0
        self._pending: dict[str, None] = {}
        self._has_begun = False

    def part(self, result: object) -> object:
        """Return a result as it is sent.

        :raises Stopped: the operation was stopped, or has too many bytes with this part.
        """
        if isinstance(result, GraphQLAnswer):
            return self._whole(result)
        if not isinstance(result, InitialIncrementalExecutionResult | SubsequentIncrementalExecutionResult):
            # Nothing was deferred in the end, or it could not start.
            assert isinstance(result, ExecutionResult)
            return self._whole(answer_of(result, self._most_bytes))
        part = msgspec.json.encode(self._formed(result))
        self._bytes += len(part)
        if self._bytes > self._most_bytes:
            raise Stopped(AnswerTooLarge(self._most_bytes, self._bytes))
        self._has_begun = True
        self._pending |= dict.fromkeys(pending.id for pending in result.pending or ())
        if isinstance(result, SubsequentIncrementalExecutionResult):
            for completed in result.completed or ():
                self._pending.pop(completed.id, None)
        return msgspec.Raw(part)

    def stopped(self, stopped: Stopped) -> object:
        """Return the last part, if the operation was stopped before all of it came."""
        if not self._has_begun:
            return self._whole(stopped_by(stopped))
        entry = field_error(GraphQLError(str(stopped), original_error=stopped.error))
        self._told(codes_of([entry] * len(self._pending)))
        completed = [{"id": id, "errors": [entry]} for id in self._pending]
        return {"hasNext": False, "completed": completed}

    def _whole(self, answer: GraphQLAnswer) -> object:
        self._told(answer.codes)
        return msgspec.Raw(answer.body)

    def _formed(
        self, result: InitialIncrementalExecutionResult | SubsequentIncrementalExecutionResult
    ) -> object:
        if isinstance(result, InitialIncrementalExecutionResult):
            pending = [pending.formatted for pending in result.pending]
            return self._with_errors(
                {"data": result.data, "pending": pending, "hasNext": result.has_next}, result.errors
            )
        part: dict[str, Any] = {"hasNext": result.has_next}
        for name in ("pending", "incremental", "completed"):
            entries = getattr(result, name)
            if entries:
                part[name] = [
                    self._with_errors(dict(entry.formatted), getattr(entry, "errors", None))
                    for entry in entries
                ]
        return part

    def _with_errors(self, entry: dict[str, Any], errors: list[GraphQLError] | None) -> dict[str, Any]:
        if not errors:
            return entry
        entries = [field_error(error) for error in errors]
        self._told(codes_of(entries))
        return entry | {"errors": entries}


def _encoded(part: object) -> str:
    return msgspec.json.encode(part).decode()
