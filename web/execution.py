"""Runs one GraphQL request and gives its answer, whichever way it came."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphql import GraphQLError, OperationDefinitionNode, OperationType, parse
from strawberry.types.execution import ExecutionResult, PreExecutionError

from resolvers.context import Context
from resolvers.loaders import Loaders
from schema import KEPT_DOCUMENTS, schema
from upstream.errors import UpstreamError
from upstream.freshness import Snapshot, Status
from upstream.receipt import Receipt, recording
from upstream.source import Source
from web.errors import field_error, request_error, start_error


@dataclass(frozen=True, slots=True)
class Request:
    """A well-formed GraphQL request. ``receipt`` asks for what the answer cost, in ``extensions``."""

    query: str
    variables: dict[str, Any] | None = None
    operation_name: str | None = None
    receipt: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """``body`` is the GraphQL response. ``ran`` is False if the operation never started (spec, 7.1.2)."""

    body: dict[str, object]
    ran: bool


class Gateway:
    """Answers GraphQL requests from one source."""

    def __init__(self, source: Source) -> None:
        self.source = source

    async def execute(self, request: Request) -> Answer:
        """The answer; whatever goes wrong is in its ``errors``."""
        unclear = _unclear_operation(request)
        if not unclear and is_subscription(request):
            unclear = (
                "A subscription has many answers; ask for them with the header Accept: text/event-stream, "
                "or over a WebSocket with the subprotocol graphql-transport-ws."
            )
        if unclear:
            return _refused(unclear)
        receipt = Receipt()
        known: Snapshot | UpstreamError | None
        with recording(receipt):
            try:
                snapshot = known = await self.source.snapshot()
            except UpstreamError as error:
                snapshot, known = self.source.sync.snapshot, error
            loaders = Loaders.over(self.source.batcher, known)
            status = self.source.status(snapshot)
            try:
                answer = await _run(request, Context(loaders, status, self.source))
            finally:
                loaders.close()
        if request.receipt:
            answer.body["extensions"] = {"upstream": receipt.summary(), "freshness": _freshness(status)}
        return answer

    async def stream(self, request: Request) -> AsyncGenerator[Answer]:
        """The answers to a subscription as they come, or the one answer to another operation.

        One that never ran, or cannot go on, is the last.
        """
        unclear = _unclear_operation(request)
        if unclear:
            yield _refused(unclear)
            return
        if not is_subscription(request):
            yield await self.execute(request)
            return
        snapshot = self.source.sync.snapshot
        loaders = Loaders.over(self.source.batcher, snapshot)
        context = Context(loaders, self.source.status(snapshot), self.source)
        results = await schema.stream(
            request.query,
            variable_values=request.variables,
            operation_name=request.operation_name,
            context_value=context,
        )
        try:
            async with aclosing(results):
                async for result in results:
                    # No parts of a result: those are for @defer and @stream, which the schema has not.
                    assert isinstance(result, ExecutionResult)
                    answer = _event(result)
                    yield answer
                    if not answer.ran:
                        return
        finally:
            # Not those of the start: each event has its own.
            context.loaders.close()


def is_subscription(request: Request) -> bool:
    """Whether the operation to run is a subscription."""
    operations = _operations(request.query) or []
    wanted = request.operation_name
    return any(
        type is OperationType.SUBSCRIPTION for name, type in operations if wanted is None or name == wanted
    )


def _event(result: ExecutionResult) -> Answer:
    errors = result.errors or []
    if isinstance(result, PreExecutionError):
        return Answer({"errors": [start_error(error) for error in errors]}, ran=False)
    if result.data is None and all(error.path is None for error in errors):
        return Answer({"errors": [field_error(error) for error in errors]}, ran=False)
    return _answer(result)


def _refused(sentence: str) -> Answer:
    return Answer({"errors": [request_error(GraphQLError(sentence))]}, ran=False)


async def _run(request: Request, context: Context) -> Answer:
    result = await schema.execute(
        request.query,
        variable_values=request.variables,
        operation_name=request.operation_name,
        context_value=context,
    )
    errors = result.errors or []
    if isinstance(result, PreExecutionError):
        return Answer({"errors": [request_error(error) for error in errors]}, ran=False)
    if result.data is None and all(error.path is None for error in errors):
        return Answer({"errors": [field_error(error) for error in errors]}, ran=False)
    return _answer(result)


def _answer(result: ExecutionResult) -> Answer:
    if result.errors:
        errors = [field_error(error) for error in result.errors]
        return Answer({"errors": errors, "data": result.data}, ran=True)
    return Answer({"data": result.data}, ran=True)


def _freshness(status: Status) -> dict[str, object]:
    return {
        "version": status.version,
        "refreshedAt": status.refreshed_at and status.refreshed_at.isoformat(),
        "ageSeconds": status.age_seconds,
        "stale": status.stale,
        "syncing": status.syncing,
    }


def _unclear_operation(request: Request) -> str | None:
    """Why it is not clear which operation to run, in a sentence (spec, 6.1, GetOperation)."""
    operations = _operations(request.query)
    if operations is None:
        return None  # not GraphQL: the execution says where
    names = [name for name, _type in operations]
    if not names:
        return "The document has no operation to run, only fragments."
    if request.operation_name is None:
        if len(names) > 1:
            listed = ", ".join(name or "one without a name" for name in names)
            return f"The document has several operations ({listed}); say by operationName which to run."
    elif request.operation_name not in names:
        return f'The document has no operation named "{request.operation_name}".'
    return None


@lru_cache(maxsize=KEPT_DOCUMENTS)
def _operations(query: str) -> list[tuple[str | None, OperationType]] | None:
    """The operations: their names, if they have one, and types. ``None`` if the document is not GraphQL."""
    try:
        document = parse(query)
    except GraphQLError:
        return None
    return [
        (definition.name.value if definition.name else None, definition.operation)
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode)
    ]
