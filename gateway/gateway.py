"""Answers GraphQL requests, however they came: with one answer, with events or in parts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from functools import partial

from catalog import CatalogSource, Snapshot
from engine import Engine, RunLimits, Stopped
from gateway.admission_queue import Admission, Turn
from gateway.answer_cache import AnswerCache
from gateway.answer_subtrees_by_catalog import AnswerSubtreesByCatalog
from gateway.answers_without_waiting import AnswersWithoutWaiting
from gateway.cost import CostLimits
from gateway.deadline import in_time
from gateway.document_cache import DocumentCache
from gateway.engine_or_strawberry import OperationRunner
from gateway.fair_use import FairUse
from gateway.federation_router import FederationRouter
from gateway.graphql_answer import (
    NOT_AT_HAND,
    GraphQLAnswer,
    later_answer,
    not_at_hand,
)
from gateway.incremental_answers import IncrementalAnswers
from gateway.limit_refusals import LimitRefusals
from gateway.limits import DocumentLimits
from gateway.named_operation import is_subscription, why_unclear
from gateway.operation_log import OperationLog
from gateway.operation_measurements import OperationMeasurements
from gateway.operation_spans import UNNAMED, describe_operation
from gateway.persisted.document_lookup import PersistedDocuments
from gateway.prepared_request import GraphQLRequest, PreparedRequest
from gateway.request_explanation import explained
from gateway.request_preparation import RequestPreparation
from gateway.retry_later_errors import RetryLater
from gateway.running_subscriptions import Subscriptions
from gateway.subscription_events import SubscriptionEvents
from resolvers import time_of
from telemetry import span
from upstream.client import Receipt, continuing, recording


class Gateway:
    """Prepares GraphQL requests over one source, and answers them.

    ``at_once`` gives those answers that need not be waited for. ``refused`` counts by limit the operations that went
    beyond it.
    """

    def __init__(
        self,
        source: CatalogSource,
        documents: DocumentCache,
        persisted: PersistedDocuments,
        *,
        answers: AnswerCache,
        engine: Engine | None,
        limits: DocumentLimits,
        run_limits: RunLimits,
        router: FederationRouter,
        admission: Admission,
        subscriptions: Subscriptions,
        log: OperationLog,
        fair_use: FairUse | None = None,
    ) -> None:
        self.source = source
        self.answers = answers
        self.router = router
        self.admission = admission
        self.subscriptions = subscriptions
        self.run_limits = run_limits
        self.engine = engine
        self.limits = limits
        self.documents = documents
        self.persisted = persisted
        self.measurements = OperationMeasurements()
        self._refusals = LimitRefusals()
        self.refused = self._refusals.counts
        self.log = log
        self.fair_use = fair_use
        self._preparation = RequestPreparation(source, documents, limits.values, fair_use)
        subtrees = self.subtrees = AnswerSubtreesByCatalog(answers.budget)
        self._cost_limits = CostLimits(
            limits.values, limits.work, run_limits.answer_bytes, run_limits.seconds
        )
        self._runner = OperationRunner(
            source,
            documents.read_aside,
            engine,
            subtrees,
            router,
            self._cost_limits,
            run_limits,
            self._preparation.settle,
        )
        self.at_once = AnswersWithoutWaiting(
            self._preparation, self._runner, engine, subtrees, admission, fair_use, self.measurements, log
        )
        self._events = SubscriptionEvents(
            admission, self._preparation, self._runner, run_limits, self._refusals
        )
        self._in_parts = IncrementalAnswers(source, admission, self._preparation, self._runner, run_limits)

    async def prepare(self, request: GraphQLRequest, snapshot: Snapshot | None) -> PreparedRequest:
        """Read the request's document, in a turn if it is not known. ``snapshot`` is the catalog that was taken for
        the request.

        :raises RateLimited: its client may not have the document read now.
        :raises Overloaded: no slot became free to read it.
        """
        return await self._preparation.prepared(request, snapshot, self.admission.turn_to_read())

    async def execute(self, request: GraphQLRequest, snapshot: Snapshot | None = None) -> GraphQLAnswer:
        """Prepare a request and run it, in one turn. A catalog that was not taken for it before is taken now."""
        return await self._in_turn(
            request, lambda: self._preparation.prepared(request, snapshot or self.source.current())
        )

    async def execute_together(
        self, requests: Sequence[GraphQLRequest], snapshot: Snapshot | None
    ) -> list[GraphQLAnswer]:
        """Answer requests that came together from one catalog: the one that was taken, or that comes after a wait."""
        taken = snapshot or await self.source.refreshed()
        return await asyncio.gather(
            *(
                self._in_turn(each, partial(self._preparation.prepared, each, taken), waits=False)
                for each in requests
            )
        )

    async def run(self, prepared: PreparedRequest) -> GraphQLAnswer:
        """Return the answer. Whatever goes wrong is in its ``errors``."""

        async def prepare() -> PreparedRequest:
            return prepared

        return await self._in_turn(prepared.request, prepare, has_waited=prepared.found.has_waited)

    async def _in_turn(
        self,
        request: GraphQLRequest,
        prepare: Callable[[], Awaitable[PreparedRequest]],
        waits: bool = True,
        has_waited: bool = False,
    ) -> GraphQLAnswer:
        """Prepare a request and run it, in one turn, and log what came of it."""
        began, receipt, prepared = self.log.clock(), Receipt(), None
        with span(UNNAMED, "server") as traced:
            try:
                async with self.admission.turn(has_waited) as turn:
                    prepared = await prepare()
                    receipt.begin_waiting = turn.give_up
                    answer = await self._run(prepared, turn, receipt, waits=waits)
            except RetryLater as error:
                answer = later_answer(error)
            seconds = self.log.clock() - began
            document = None if prepared is None else prepared.document
            self.measurements.ended(request, document, answer, seconds)
            self.log.ended(request, prepared, answer, len(receipt.exchanges), seconds)
            if traced.is_recorded:
                describe_operation(traced, request, document, answer.outcome, len(receipt.exchanges))
        return answer

    async def _run(
        self, prepared: PreparedRequest, turn: Turn, receipt: Receipt, *, waits: bool
    ) -> GraphQLAnswer:
        if prepared.request.explain and prepared.prediction is not None:
            await self._preparation.pay_for_plan(prepared)
            return await explained(prepared, self.engine, self._cost_limits)
        if prepared.refusals:
            return self._refusals.before(prepared.refusals)
        if prepared.failure is not None:
            return not_at_hand(prepared.failure)
        await self._preparation.pay(prepared)
        with recording(receipt), continuing(prepared.request.traceparent):
            try:
                # The time of an operation begins when there is a catalog to answer it from.
                snapshot = await self._snapshot(prepared, turn, waits=waits)
                with time_of(snapshot):
                    answer = await in_time(
                        self._runner.answer(prepared, snapshot, receipt), self.run_limits.seconds
                    )
            except Stopped as stopped:
                answer = self._refusals.during(stopped)
            except NOT_AT_HAND as error:
                answer = not_at_hand(error)
        if receipt.exchanges:
            self.measurements.from_upstream += 1
        elif not answer.failed:
            self.measurements.from_memory += 1
        return answer.with_extensions(answer.extensions) if answer.extensions else answer

    def refused_at_once(self, request: GraphQLRequest) -> GraphQLAnswer | None:
        """Return the refusal of a subscription for which there is no room, if its document is known. It needs no
        slot."""
        asked = self.documents.known(request.query)
        name = request.operation_name
        if asked is not None and not why_unclear(asked, name) and is_subscription(asked, name):
            try:
                self.subscriptions.check()
            except RetryLater as error:
                return later_answer(error)
        return None

    async def stream(self, prepared: PreparedRequest) -> AsyncGenerator[GraphQLAnswer]:
        """Yield the answers to a subscription as they come, or the one answer to another operation.

        An answer that says that it never ran, or cannot go on, is the last.
        """
        if prepared.unclear:
            yield self.measurements.sent(self._refusals.before(prepared.unclear))
            return
        if not prepared.is_subscription or prepared.request.explain:
            yield await self.run(prepared)
            return
        if prepared.too_dear is not None:
            yield self.measurements.sent(self._refusals.before((prepared.too_dear,)))
            return
        try:
            with self.subscriptions.one_more():
                async with aclosing(self.log.follow(prepared, self._events.answers(prepared))) as events:
                    while (answer := await self.subscriptions.next_of(events)) is not None:
                        yield self.measurements.sent(answer)
        except RetryLater as error:
            yield self.measurements.sent(later_answer(error))

    def parts(self, prepared: PreparedRequest) -> AsyncGenerator[object]:
        """Yield the results of a request that has parts, as :meth:`~IncrementalAnswers.results` does."""
        return self.log.follow(prepared, self._in_parts.results(prepared, self._snapshot))

    async def _snapshot(
        self, prepared: PreparedRequest, turn: Turn, *, waits: bool = True
    ) -> Snapshot | None:
        """Return the catalog for the request: an older one, that of its preparation, or one that it waits for.

        :raises NOT_AT_HAND: it asks for an older one, which cannot be provided.
        """
        as_of = prepared.as_of
        if as_of is not None:
            before_waiting = partial(self._preparation.wait_for_rebuild, turn, as_of)
            return await self.source.older.snapshot(as_of.version, as_of.moment, before_waiting)
        return prepared.snapshot or (await self.source.refreshed() if waits else None)
