"""Runs one GraphQL request and gives its answer, whichever way it came."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import msgspec
from graphql import GraphQLError, OperationType
from msgspec.structs import replace
from strawberry.types.execution import ExecutionResult, PreExecutionError

from engine import Engine, HandOver, Reason
from resolvers.budget import WorkBudget
from resolvers.context import Context
from resolvers.errors import Stopped, TooComplex
from resolvers.loaders import Loaders
from schema import Document, given, schema, tracing_fields
from upstream.errors import UpstreamError
from upstream.freshness import Snapshot, Status
from upstream.receipt import Receipt, recording
from upstream.source import Source
from upstream.trace import continuing
from web.admission import UNLIMITED, Admission, Overloaded, Turn
from web.documents import Documents
from web.errors import field_error, overload, request_error, start_error
from web.limits import DEFAULT_LIMITS, Limits
from web.persisted import PersistedDocuments
from web.router import Router

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Request:
    """A well-formed GraphQL request. ``receipt`` asks for what the answer cost, in ``extensions``.

    ``router``, ``traced`` and ``traceparent`` are what the headers of a router say.
    """

    query: str
    variables: dict[str, Any] | None = None
    operation_name: str | None = None
    receipt: bool = False
    router: str | None = None
    traced: bool = False
    traceparent: str | None = None


class Answer(msgspec.Struct, frozen=True):
    """The answer to a request."""

    body: bytes
    """The GraphQL response, a JSON object."""
    ran: bool
    """False if the operation never started (spec, 7.1.2)."""
    failed: bool
    """Whether the response has ``errors``."""
    made_of: Snapshot | None = None
    """The catalog that alone it was made of: the same operation has the same answer while the version is the same.

    None if it can have another the next time.
    """
    retry_after: int | None = None
    """Seconds after which an operation that found no place is worth another try; None for all others."""
    extensions: dict[str, Any] = msgspec.field(default_factory=dict)
    """What the execution has for the response beside; not in ``body`` yet."""

    def decoded(self) -> dict[str, Any]:
        """The response as Python has it."""
        response: dict[str, Any] = msgspec.json.decode(self.body)
        return response

    def with_extensions(self, extensions: dict[str, object]) -> Answer:
        """The same with ``extensions`` at its end."""
        return replace(self, body=b'%b,"extensions":%b}' % (self.body[:-1], _encode(extensions)))


class Gateway:
    """Answers GraphQL requests from one source: by the engine where it can, else by Strawberry's execution.

    ``from_memory`` and ``from_upstream`` count the answers without and with an exchange. One that failed without any
    is neither. ``refused`` counts by limit the operations that were too complex.
    """

    def __init__(
        self,
        source: Source,
        *,
        use_engine: bool = True,
        limits: Limits = DEFAULT_LIMITS,
        persisted: Callable[[Documents], PersistedDocuments] = PersistedDocuments,
        router: Router = Router(),  # noqa: B008 - immutable
        admission: Admission | None = None,
    ) -> None:
        self.source = source
        self.from_memory = 0
        self.from_upstream = 0
        self.router = router
        self.admission = admission or Admission(UNLIMITED)
        self.engine = Engine(schema) if use_engine else None
        self.limits = limits
        self.documents = Documents(limits)
        self.persisted = persisted(self.documents)
        self.refused: Counter[str] = Counter()

    async def execute(self, request: Request) -> Answer:
        """The answer; whatever goes wrong is in its ``errors``."""
        try:
            async with self.admission.turn() as turn:
                return await self._execute(request, self.documents.read(request.query), turn)
        except Overloaded as error:
            return _overload(error)

    async def _execute(self, request: Request, asked: Document, turn: Turn) -> Answer:
        unfit = _unfit(asked, request.operation_name)
        if unfit:
            return self._refusal(unfit)
        receipt = Receipt(begin_waiting=turn.give_up)
        with recording(receipt), continuing(request.traceparent):
            snapshot, context = await self._begin(request)
            try:
                answer, handed_over = await self._run(request, asked, context, receipt)
            except Stopped as stopped:
                return self._refusal([_told(stopped)])
            finally:
                context.loaders.close()
        if receipt.exchanges:
            self.from_upstream += 1
        elif not answer.failed:
            self.from_memory += 1
        if not (answer.failed or receipt.momentary or request.receipt):
            answer = replace(answer, made_of=snapshot)
        extensions = answer.extensions
        if request.receipt:
            extensions |= {
                "upstream": receipt.summary(),
                "freshness": _freshness(context.status),
                "engine": {
                    "used": self.engine is not None and handed_over is None,
                    "handedOver": handed_over,
                },
            }
        return answer.with_extensions(extensions) if extensions else answer

    async def stream(self, request: Request) -> AsyncGenerator[Answer]:
        """The answers to a subscription as they come, or the one answer to another operation.

        One that never ran, or cannot go on, is the last.
        """
        try:
            async with self.admission.turn():
                asked = self.documents.read(request.query)
        except Overloaded as error:
            yield _overload(error)
            return
        unclear = _unclear_operation(asked, request.operation_name)
        if unclear:
            yield self._refusal([GraphQLError(unclear)])
            return
        if not _is_subscription(asked, request.operation_name):
            yield await self.execute(request)
            return
        snapshot = self.source.sync.snapshot
        loaders = Loaders.over(self.source.batcher, snapshot)
        work = WorkBudget(self.limits.work)
        context = Context(loaders, self.source.status(snapshot), self.source, work=work)
        results = await schema.stream(
            request.query,
            variable_values=request.variables,
            operation_name=request.operation_name,
            context_value=context,
            operation_extensions=given(asked),
        )
        try:
            async with aclosing(results):
                async for result in results:
                    # No parts of a result: a subscription has none.
                    assert isinstance(result, ExecutionResult)
                    answer = _event(result)
                    yield answer
                    if not answer.ran:
                        return
        except Stopped as stopped:
            yield self._refusal([_told(stopped)])
        finally:
            # Not those of the start: each event has its own.
            context.loaders.close()

    async def parts(self, request: Request) -> AsyncGenerator[object]:
        """The results as graphql-core gives them: all but what is deferred, then the rest as it comes.

        Only for a request that :meth:`has_parts`. If no place becomes free, an :class:`Answer` is the last.
        """
        asked = self.documents.read(request.query)
        receipt = Receipt()
        with recording(receipt), continuing(request.traceparent):
            _snapshot, context = await self._begin(request)
            try:
                results = await schema.stream(
                    request.query,
                    variable_values=request.variables,
                    operation_name=request.operation_name,
                    context_value=context,
                    operation_extensions=given(asked, in_parts=True),
                )
                async with aclosing(results):
                    while True:
                        # No place is held while a part is sent: the client may be slow.
                        async with self.admission.turn() as turn:
                            receipt.begin_waiting = turn.give_up
                            result = await anext(results)
                        yield result
            except StopAsyncIteration:
                return
            except Overloaded as error:
                yield _overload(error)
            finally:
                context.loaders.close()

    def has_parts(self, request: Request) -> bool:
        """Whether the operation can be answered in parts: it can run, and has ``@defer`` or ``@stream``."""
        asked = self.documents.read(request.query)
        return asked.in_parts is not None and not _unfit(asked, request.operation_name)

    def is_subscription(self, request: Request) -> bool:
        """Whether the operation to run is a subscription."""
        return _is_subscription(self.documents.read(request.query), request.operation_name)

    def _refusal(self, errors: list[GraphQLError]) -> Answer:
        for error in errors:
            if isinstance(error.original_error, TooComplex):
                self.refused[error.original_error.limit] += 1
        return _refusal(errors)

    async def _begin(self, request: Request) -> tuple[Snapshot | None, Context]:
        """The state that a request is answered from."""
        known: Snapshot | UpstreamError | None
        try:
            snapshot = known = await self.source.snapshot()
        except UpstreamError as error:
            snapshot, known = self.source.sync.snapshot, error
        loaders = Loaders.over(self.source.batcher, known)
        status = self.source.status(snapshot)
        entities, work = self.router.budget(request.router), WorkBudget(self.limits.work)
        return snapshot, Context(loaders, status, self.source, entities, work)

    async def _run(
        self, request: Request, asked: Document, context: Context, receipt: Receipt
    ) -> tuple[Answer, Reason | None]:
        """The answer, and why the engine handed over, if it did."""
        if request.traced and self.router.is_known(request.router):
            receipt.momentary = True
            with tracing_fields():
                return await _run_by_strawberry(request, asked, context), "extension"
        if self.engine is None:
            return await _run_by_strawberry(request, asked, context), None
        assert asked.node is not None
        try:
            body = await self.engine.run(
                request.query, asked.node, request.operation_name, request.variables, context
            )
            return Answer(body, ran=True, failed=False), None
        except HandOver as error:
            # Counted anew: the loaders give again what they gave the engine.
            receipt.from_memory = context.entities.asked = 0
            return await _run_by_strawberry(request, asked, context), error.reason


def _is_subscription(asked: Document, operation_name: str | None) -> bool:
    return any(
        type is OperationType.SUBSCRIPTION
        for name, type in asked.operations
        if operation_name is None or name == operation_name
    )


class Unplanned(Exception):
    """The engine has no plan for an operation. The message is a sentence that says why."""


def explain(request: Request, limits: Limits = DEFAULT_LIMITS) -> str:
    """How the engine runs the operation, to be read by people.

    :raises Unplanned: it does not.
    """
    asked = Documents(limits).read(request.query)
    unfit = _unfit(asked, request.operation_name)
    if unfit:
        raise Unplanned(unfit[0].message)
    assert asked.node is not None
    try:
        return Engine(schema).explain(request.query, asked.node, request.operation_name, request.variables)
    except HandOver as error:
        raise Unplanned(
            f"The engine leaves this operation to Strawberry's execution: {error.reason}."
        ) from None


async def _run_by_strawberry(request: Request, asked: Document, context: Context) -> Answer:
    result = await schema.execute(
        request.query,
        variable_values=request.variables,
        operation_name=request.operation_name,
        context_value=context,
        operation_extensions=given(asked),
    )
    return replace(answer_of(result), extensions=result.extensions or {})


def answer_of(result: ExecutionResult) -> Answer:
    """The answer that Strawberry's execution gave."""
    errors = result.errors or []
    if isinstance(result, PreExecutionError):
        return _refusal(errors)
    if result.data is None and all(error.path is None for error in errors):
        return Answer(_encode({"errors": [field_error(error) for error in errors]}), ran=False, failed=True)
    if errors:
        body = {"errors": [field_error(error) for error in errors], "data": result.data}
        return Answer(_encode(body), ran=True, failed=True)
    return Answer(_encode({"data": result.data}), ran=True, failed=False)


def _overload(error: Overloaded) -> Answer:
    return Answer(
        _encode({"errors": [overload(error)]}), ran=False, failed=True, retry_after=error.retry_after
    )


def _told(stopped: Stopped) -> GraphQLError:
    """The one error that answers a request that was stopped."""
    # Without the traceback, which would keep all that was looked at.
    return GraphQLError(str(stopped), original_error=stopped.error.with_traceback(None))


def _event(result: ExecutionResult) -> Answer:
    if isinstance(result, PreExecutionError):
        errors = [start_error(error) for error in result.errors or []]
        return Answer(_encode({"errors": errors}), ran=False, failed=True)
    return answer_of(result)


def _refusal(errors: list[GraphQLError]) -> Answer:
    return Answer(_encode({"errors": [request_error(error) for error in errors]}), ran=False, failed=True)


def _freshness(status: Status) -> dict[str, object]:
    return {
        "version": status.version,
        "refreshedAt": status.refreshed_at and status.refreshed_at.isoformat(),
        "ageSeconds": status.age_seconds,
        "stale": status.stale,
        "syncing": status.syncing,
    }


def _unfit(asked: Document, operation_name: str | None) -> list[GraphQLError]:
    """Why no operation can run: the document is not GraphQL, it is not clear which to run, or it does not fit."""
    unclear = _unclear_operation(asked, operation_name)
    if not unclear and _is_subscription(asked, operation_name):
        unclear = (
            "A subscription has many answers; ask for them with the header Accept: text/event-stream, "
            "or over a WebSocket with the subprotocol graphql-transport-ws."
        )
    return [GraphQLError(unclear)] if unclear else list(asked.errors)


def _unclear_operation(asked: Document, operation_name: str | None) -> str | None:
    """Why it is not clear which operation to run, in a sentence (spec, 6.1, GetOperation)."""
    if asked.node is None:
        return None  # not GraphQL: its errors say where
    names = [name for name, _type in asked.operations]
    if not names:
        return "The document has no operation to run, only fragments."
    if operation_name is None:
        if len(names) > 1:
            listed = ", ".join(name or "one without a name" for name in names)
            return f"The document has several operations ({listed}); say by operationName which to run."
    elif operation_name not in names:
        return f'The document has no operation named "{operation_name}".'
    return None
