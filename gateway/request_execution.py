"""Runs one GraphQL request and gives its answer, whichever way it came."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError
from msgspec.structs import replace
from strawberry.types.execution import ExecutionResult

from catalog.catalog_source import CatalogSource
from catalog.freshness import Snapshot, SnapshotStatus
from engine import Engine, Fallback, FallbackReason, RunLimits, Stopped, TooComplex
from engine.answer_dependencies import DependsOn
from gateway.admission_queue import Admission, Overloaded, Turn
from gateway.answers import (
    GraphQLAnswer,
    answer_of,
    answer_of_engine,
    event_of,
    overloaded,
    refusal,
    stopped_by,
)
from gateway.deadline import Deadline
from gateway.document_cache import DocumentCache
from gateway.federation_router import FederationRouter
from gateway.limits import DocumentLimits
from gateway.named_operation import dependencies_of, is_subscription, why_unclear, why_unfit
from gateway.persisted.document_lookup import PersistedDocuments
from gateway.running_subscriptions import Subscriptions
from resolvers.loading.record_loaders import Loaders
from resolvers.loading.request_context import Context
from resolvers.work_budget import DEFERRED, VALUE, WorkBudget, values_in
from schema import Document, given, schema, tracing_fields
from upstream.client.request_receipt import Receipt, recording
from upstream.client.trace_context import continuing


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
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


class Gateway:
    """Answers GraphQL requests from one source: by the engine where it can, else by Strawberry's execution.

    ``from_memory`` and ``from_upstream`` count the answers without and with an exchange. One that failed without any
    is neither. ``refused`` counts by limit the operations that were too complex.
    """

    def __init__(
        self,
        source: CatalogSource,
        documents: DocumentCache,
        persisted: PersistedDocuments,
        *,
        engine: Engine | None,
        limits: DocumentLimits,
        run_limits: RunLimits,
        router: FederationRouter,
        admission: Admission,
        subscriptions: Subscriptions,
    ) -> None:
        self.source = source
        self.from_memory = 0
        self.from_upstream = 0
        self.router = router
        self.admission = admission
        self.subscriptions = subscriptions
        self.run_limits = run_limits
        self.engine = engine
        self.limits = limits
        self.documents = documents
        self.persisted = persisted
        self.refused: Counter[str] = Counter()

    async def execute(self, request: GraphQLRequest) -> GraphQLAnswer:
        """The answer; whatever goes wrong is in its ``errors``."""
        try:
            async with self.admission.turn() as turn:
                return await self._execute(request, await self.documents.read_aside(request.query), turn)
        except Overloaded as error:
            return overloaded(error)

    async def _execute(self, request: GraphQLRequest, asked: Document, turn: Turn) -> GraphQLAnswer:
        unfit = why_unfit(asked, request.operation_name)
        if unfit:
            return self._refusal(unfit)
        receipt = Receipt(begin_waiting=turn.give_up)
        with recording(receipt), continuing(request.traceparent):
            try:
                # The time of an operation begins when there is a catalog to answer it from.
                snapshot = await self.source.snapshot()
                with Deadline(self.run_limits.seconds):
                    answer = await self._answer(request, asked, snapshot, receipt)
            except Stopped as stopped:
                answer = self._stopped(stopped)
        if receipt.exchanges:
            self.from_upstream += 1
        elif not answer.failed:
            self.from_memory += 1
        return answer.with_extensions(answer.extensions) if answer.extensions else answer

    async def _answer(
        self, request: GraphQLRequest, asked: Document, snapshot: Snapshot | None, receipt: Receipt
    ) -> GraphQLAnswer:
        context = self._begin(request, snapshot)
        try:
            answer, fallback = await self._run(request, asked, context, receipt)
        finally:
            context.loaders.close()
        depends_on = self._depends_on(request, asked, context)
        answer = replace(answer, made_of=snapshot, depends_on=depends_on)
        if receipt.not_looked_up:
            told = {"freshness": _freshness(context.status, receipt)}
            answer = replace(answer, extensions=answer.extensions | told)
        if request.receipt:
            told = {
                "upstream": receipt.summary(),
                "freshness": _freshness(context.status, receipt),
                "work": {"steps": context.work.spent, "max": context.work.most},
                "engine": {
                    "used": self.engine is not None and fallback is None,
                    "handedOver": fallback,
                },
            }
            answer = replace(answer, extensions=answer.extensions | told)
        return answer

    async def stream(self, request: GraphQLRequest) -> AsyncGenerator[GraphQLAnswer]:
        """The answers to a subscription as they come, or the one answer to another operation.

        One that never ran, or cannot go on, is the last.
        """
        try:
            async with self.admission.turn():
                asked = await self.documents.read_aside(request.query)
        except Overloaded as error:
            yield overloaded(error)
            return
        unclear = why_unclear(asked, request.operation_name)
        if unclear:
            yield self._refusal([GraphQLError(unclear)])
            return
        if not is_subscription(asked, request.operation_name):
            yield await self.execute(request)
            return
        try:
            with self.subscriptions.one_more():
                async with aclosing(self._events(request, asked)) as events:
                    while (answer := await self.subscriptions.next_of(events)) is not None:
                        yield answer
        except Overloaded as error:
            yield overloaded(error)

    async def _events(self, request: GraphQLRequest, asked: Document) -> AsyncGenerator[GraphQLAnswer]:
        try:
            work = self._work(request)
        except Stopped as stopped:
            yield self._stopped(stopped)
            return
        snapshot = self.source.latest
        loaders = Loaders.over(self.source.batcher, snapshot)
        entities = self.router.budget(request.router)
        context = Context(loaders, self.source.status(snapshot), self.source, entities, work)
        with given(asked, self.run_limits) as extensions:
            results = await schema.stream(
                request.query,
                variable_values=request.variables,
                operation_name=request.operation_name,
                context_value=context,
                operation_extensions=extensions,
            )
            try:
                async with aclosing(results):
                    async for result in results:
                        # No parts of a result: a subscription has none.
                        assert isinstance(result, ExecutionResult)
                        answer = event_of(result, self.run_limits.answer_bytes)
                        yield answer
                        if not answer.ran:
                            return
            except Stopped as stopped:
                yield self._stopped(stopped)
            finally:
                # Not those of the start: each event has its own.
                context.loaders.close()

    async def parts(self, request: GraphQLRequest) -> AsyncGenerator[object]:
        """The results as graphql-core gives them: all but what is deferred, then the rest as it comes.

        Only for a request that :meth:`has_parts`. If no place becomes free, an :class:`GraphQLAnswer` is the last.

        :raises Stopped: the rest does not come.
        """
        asked = self.documents.read(request.query)
        snapshot = await self.source.snapshot()
        until = asyncio.get_running_loop().time() + self.run_limits.seconds
        receipt = Receipt()
        with recording(receipt), continuing(request.traceparent):
            context = self._begin(request, snapshot)
            with given(asked, self.run_limits, in_parts=True) as extensions:
                try:
                    results = await schema.stream(
                        request.query,
                        variable_values=request.variables,
                        operation_name=request.operation_name,
                        context_value=context,
                        operation_extensions=extensions,
                    )
                    async with aclosing(results):
                        while True:
                            # No place is held while a part is sent: the client may be slow.
                            async with self.admission.turn() as turn:
                                receipt.begin_waiting = turn.give_up
                                with self._until(until):
                                    result = await anext(results)
                                context.work.spend(DEFERRED * len(getattr(result, "pending", None) or ()))
                            yield result
                except StopAsyncIteration:
                    return
                except Overloaded as error:
                    yield overloaded(error)
                finally:
                    context.loaders.close()

    def _until(self, moment: float) -> Deadline:
        return Deadline(self.run_limits.seconds, moment - asyncio.get_running_loop().time())

    def has_parts(self, request: GraphQLRequest) -> bool:
        """Whether the operation can be answered in parts: it can run, and has ``@defer`` or ``@stream``."""
        asked = self.documents.read(request.query)
        return asked.in_parts is not None and not why_unfit(asked, request.operation_name)

    def is_subscription(self, request: GraphQLRequest) -> bool:
        """Whether the operation to run is a subscription."""
        return is_subscription(self.documents.read(request.query), request.operation_name)

    def _refusal(self, errors: list[GraphQLError]) -> GraphQLAnswer:
        for error in errors:
            if isinstance(error.original_error, TooComplex):
                self.refused[error.original_error.limit] += 1
        return refusal(errors)

    def _stopped(self, stopped: Stopped) -> GraphQLAnswer:
        if isinstance(stopped.error, TooComplex):
            self.refused[stopped.error.limit] += 1
        return stopped_by(stopped)

    def _work(self, request: GraphQLRequest) -> WorkBudget:
        """What the request may spend, with what its variables take spent already.

        :raises Stopped: that is too much.
        """
        work = WorkBudget(self.limits.work)
        work.spend(VALUE * values_in(request.variables))
        return work

    def _begin(self, request: GraphQLRequest, snapshot: Snapshot | None) -> Context:
        """The state of a request that is answered from a snapshot."""
        loaders = Loaders.over(self.source.batcher, snapshot)
        status = self.source.status(snapshot)
        entities, work = self.router.budget(request.router), self._work(request)
        return Context(loaders, status, self.source, entities, work)

    def _is_traced(self, request: GraphQLRequest) -> bool:
        return request.traced and self.router.is_known(request.router)

    def _depends_on(self, request: GraphQLRequest, asked: Document, context: Context) -> DependsOn:
        """What the answer to an operation that ran in this context depends on."""
        depends_on = dependencies_of(asked, request.operation_name).with_variables(request.variables)
        # What may be asked of upstream need not have been, and without a router's secret everyone may ask for all.
        depends_on &= ~(DependsOn.UPSTREAM if self.router.secret else DependsOn.UPSTREAM | DependsOn.ASKER)
        if context.loaders.asked_upstream:
            depends_on |= DependsOn.UPSTREAM
        if self._is_traced(request) or request.receipt:
            depends_on |= DependsOn.ASKER | DependsOn.TIME
        return depends_on

    async def _run(
        self, request: GraphQLRequest, asked: Document, context: Context, receipt: Receipt
    ) -> tuple[GraphQLAnswer, FallbackReason | None]:
        """The answer, and why the engine fell back, if it did."""
        if self._is_traced(request):
            with tracing_fields():
                return await self._run_by_strawberry(request, asked, context), "extension"
        if self.engine is None:
            return await self._run_by_strawberry(request, asked, context), None
        assert asked.node is not None
        try:
            ran = await self.engine.run(
                request.query,
                asked.node,
                request.operation_name,
                request.variables,
                context,
                context.work.spend,
            )
            receipt.from_memory += ran.known_records
            return answer_of_engine(ran, self.run_limits.answer_bytes), None
        except Fallback as error:
            # Counted anew: the loaders give again what they gave the engine.
            receipt.from_memory = context.entities.asked = 0
            return await self._run_by_strawberry(request, asked, context), error.reason

    async def _run_by_strawberry(
        self, request: GraphQLRequest, asked: Document, context: Context
    ) -> GraphQLAnswer:
        with given(asked, self.run_limits) as extensions:
            result = await schema.execute(
                request.query,
                variable_values=request.variables,
                operation_name=request.operation_name,
                context_value=context,
                operation_extensions=extensions,
            )
        answer = answer_of(result, self.run_limits.answer_bytes)
        return replace(answer, extensions=result.extensions or {})


class Unplanned(Exception):
    """The engine has no plan for an operation. The message is a sentence that says why."""


def explain(request: GraphQLRequest, limits: DocumentLimits) -> str:
    """How the engine runs the operation, to be read by people.

    :raises Unplanned: it does not.
    """
    asked = DocumentCache(limits).read(request.query)
    unfit = why_unfit(asked, request.operation_name)
    if unfit:
        raise Unplanned(unfit[0].message)
    assert asked.node is not None
    try:
        return Engine(schema).explain(request.query, asked.node, request.operation_name, request.variables)
    except Fallback as error:
        raise Unplanned(
            f"The engine leaves this operation to Strawberry's execution: {error.reason}."
        ) from None


def _freshness(status: SnapshotStatus, receipt: Receipt) -> dict[str, object]:
    return {
        "version": status.version,
        "refreshedAt": status.refreshed_at and status.refreshed_at.isoformat(),
        "ageSeconds": status.age_seconds,
        "stale": status.stale,
        "syncing": status.syncing,
        "notLookedUp": receipt.not_looked_up,
    }
