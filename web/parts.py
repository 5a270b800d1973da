"""Answers in parts, for ``@defer`` and ``@stream``: incremental delivery over HTTP (RFC "Incremental Delivery").

The form is that of GraphQL.js 17: ``pending`` names what will come, ``incremental`` brings it, ``completed`` ends it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import msgspec
from graphql import GraphQLError
from graphql.execution import InitialIncrementalExecutionResult, SubsequentIncrementalExecutionResult
from starlette.responses import StreamingResponse
from starlette.types import Send
from strawberry.http.streaming import MultipartTransport
from strawberry.types.execution import ExecutionResult

from web.caching import Headers
from web.errors import field_error
from web.execution import Answer, Gateway, Request, answer_of
from web.negotiation import Accepted


def wants_parts(gateway: Gateway, takes: Accepted, request: Request) -> bool:
    """Whether the answer is to come in parts; who does not say so gets it whole."""
    return takes.parts and gateway.has_parts(request)


def in_parts(gateway: Gateway, request: Request, headers: Headers) -> StreamingResponse:
    """The parts, as they come."""
    transport = MultipartTransport()

    async def parts() -> AsyncGenerator[object, None]:
        async with aclosing(gateway.parts(request)) as results:
            async for result in results:
                yield _part(result)

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


def _part(result: object) -> object:
    if isinstance(result, InitialIncrementalExecutionResult):
        pending = [pending.formatted for pending in result.pending]
        return _with_errors(
            {"data": result.data, "pending": pending, "hasNext": result.has_next}, result.errors
        )
    if isinstance(result, SubsequentIncrementalExecutionResult):
        part: dict[str, Any] = {"hasNext": result.has_next}
        for name in ("pending", "incremental", "completed"):
            entries = getattr(result, name)
            if entries:
                part[name] = [
                    _with_errors(dict(entry.formatted), getattr(entry, "errors", None)) for entry in entries
                ]
        return part
    if isinstance(result, Answer):
        return msgspec.Raw(result.body)
    # Nothing was deferred in the end, or it could not start.
    assert isinstance(result, ExecutionResult)
    return msgspec.Raw(answer_of(result).body)


def _with_errors(entry: dict[str, Any], errors: list[GraphQLError] | None) -> dict[str, Any]:
    return entry | {"errors": [field_error(error) for error in errors]} if errors else entry


def _encoded(part: object) -> str:
    return msgspec.json.encode(part).decode()
