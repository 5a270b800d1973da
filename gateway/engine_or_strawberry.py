"""Runs a prepared operation on a catalog: by the engine where it can, else by Strawberry's execution."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from catalog import CatalogSource, Snapshot
from engine import (
    AnswerSubtreeCache,
    DependsOn,
    Engine,
    Fallback,
    FallbackReason,
    Ran,
    RunLimits,
    Stopped,
    TooComplex,
)
from gateway.answer_subtrees_by_catalog import AnswerSubtreesByCatalog
from gateway.cost import CostLimits
from gateway.error_positions import located_in
from gateway.federation_router import FederationRouter
from gateway.graphql_answer import GraphQLAnswer, answer_of, answer_of_engine
from gateway.prepared_request import GraphQLRequest, PreparedRequest
from gateway.response_extensions import freshness, response_extensions
from resolvers.loading import Context, Loaders
from resolvers.work_budget import WorkBudget, steps_to_read
from schema import Document, given, schema, tracing_fields
from telemetry import span
from upstream.client import Receipt


class OperationRunner:
    """Gives the whole answer to an operation that can run, and the context that any of its executions needs.

    ``read`` reads the document with a text while the event loop turns.
    """

    def __init__(
        self,
        source: CatalogSource,
        read: Callable[[str], Awaitable[Document]],
        engine: Engine | None,
        subtrees: AnswerSubtreesByCatalog,
        router: FederationRouter,
        limits: CostLimits,
        run_limits: RunLimits,
        settle: Callable[[PreparedRequest, int], None],
    ) -> None:
        self._source = source
        self._read = read
        self._engine = engine
        self._subtrees = subtrees
        self._router = router
        self._limits = limits
        self.run_limits = run_limits
        self._settle = settle
        # Not every answer that may ask upstream does so, and without a router's secret everyone may ask for all
        # entities.
        untold = DependsOn.UPSTREAM if router.secret else DependsOn.UPSTREAM | DependsOn.ASKER
        self._untold_or_catalog = untold | DependsOn.CATALOG

    def begin(
        self, request: GraphQLRequest, snapshot: Snapshot | None, at_once: WorkBudget | None = None
    ) -> Context:
        """Return the state of a request that is answered from a snapshot. The caller closes its loaders.

        ``at_once`` is the work within which it has to be answered without waiting, if it has to.

        :raises Stopped: its variables alone take more work than it may.
        """
        work, source = at_once or self.work(request), self._source
        loaders = Loaders(source.batcher, snapshot, source.first_catalog, may_wait=at_once is None)
        return Context(loaders, snapshot, source, self._router.budget(request.router), work)

    def _begun_again(self, context: Context, request: GraphQLRequest) -> Context:
        """Return the state of a request that has spent nothing yet, with the records that were loaded."""
        entities = self._router.budget(request.router)
        return Context(context.loaders, context.snapshot, self._source, entities, self.work(request))

    def work(self, request: GraphQLRequest, most: int | None = None) -> WorkBudget:
        """Return the work that a request may take, up to ``most`` steps, of which its variables have taken some.

        :raises Stopped: they alone take more.
        """
        work = WorkBudget(self._limits.work if most is None else min(most, self._limits.work))
        work.spend(steps_to_read(request.variables, work.most))
        return work

    async def answer(
        self, prepared: PreparedRequest, snapshot: Snapshot | None, receipt: Receipt
    ) -> GraphQLAnswer:
        """Run the operation to its end. Its ``extensions`` are not in the body yet.

        If upstream has shown a record that the snapshot lacks, the next snapshot gets it and the operation is run once
        more, because its records would contradict one another.

        :raises Stopped: the operation went beyond a limit.
        """
        request = prepared.request
        context = self.begin(request, snapshot)
        answer, fallback = await self._run_to_its_end(prepared, context, receipt)
        newer = await self._source.take(context.loaders.found)
        if newer is not None:
            snapshot, context, receipt.from_memory = newer, self.begin(request, newer), 0
            answer, fallback = await self._run_to_its_end(prepared, context, receipt)
        answer = replace(answer, made_of=snapshot, depends_on=self._depends_on(prepared, context))
        # An operation without an answer has not said that a record is missing.
        if receipt.not_looked_up and answer.has_data:
            age = {"freshness": freshness(context.status, receipt)}
            answer = replace(answer, extensions=answer.extensions | age)
        if request.receipt:
            told = await response_extensions(prepared, answer, context, receipt, self._limits)
            told["engine"] = {"used": self._engine is not None and fallback is None, "handedOver": fallback}
            answer = replace(answer, extensions=answer.extensions | told)
        return answer

    async def _run_to_its_end(
        self, prepared: PreparedRequest, context: Context, receipt: Receipt
    ) -> tuple[GraphQLAnswer, FallbackReason | None]:
        try:
            return await self._run(prepared, context, receipt)
        finally:
            self._settle(prepared, context.work.spent)
            context.loaders.close()

    async def _run(
        self, prepared: PreparedRequest, context: Context, receipt: Receipt
    ) -> tuple[GraphQLAnswer, FallbackReason | None]:
        """Return the answer, and why the engine fell back, if it did."""
        if self._is_traced(prepared.request):
            with tracing_fields():
                return await self._run_by_strawberry(prepared, context), "extension"
        if self._engine is None:
            return await self._run_by_strawberry(prepared, context), None
        catalog = context.loaders.catalog
        subtrees = None if catalog is None else self._subtrees.of(catalog)
        try:
            try:
                ran = await self._run_by_engine(self._engine, prepared, context, subtrees)
            except Stopped as stopped:
                if not stopped.used_subtrees or not isinstance(stopped.error, TooComplex):
                    raise
                # It runs without the subtrees, so that the answer is the same whether or not there are any.
                again = self._begun_again(context, prepared.request)
                ran = await self._run_by_engine(self._engine, prepared, again, None)
            if ran.errors and prepared.request.on_error == "HALT":
                raise Fallback("error")
        except Fallback as error:
            # The work is counted anew, because the loaders give again what they gave the engine.
            receipt.from_memory = context.entities.asked = 0
            return await self._run_by_strawberry(prepared, context), error.reason
        receipt.from_memory += ran.known_records
        literals = prepared.found.literals
        if ran.errors and literals is not None:
            ran = replace(ran, errors=located_in(prepared.request.query, literals.ends, ran.errors))
        return answer_of_engine(ran, self.run_limits.answer_bytes), None

    async def _run_by_engine(
        self, engine: Engine, prepared: PreparedRequest, context: Context, subtrees: AnswerSubtreeCache | None
    ) -> Ran:
        request, found = prepared.request, prepared.found
        assert found.document.node is not None
        return await engine.run(
            found.text,
            found.document.node,
            request.operation_name,
            request.variables,
            context,
            context.work.spend,
            None if found.literals is None else found.literals.values,
            subtrees,
        )

    async def _run_by_strawberry(self, prepared: PreparedRequest, context: Context) -> GraphQLAnswer:
        request = prepared.request
        whole = await self._whole(prepared)
        with given(whole, self.run_limits, request.on_error) as extensions, span("graphql.execute"):
            result = await schema.execute(
                request.query,
                variable_values=request.variables,
                operation_name=request.operation_name,
                context_value=context,
                operation_extensions=extensions,
            )
        with span("graphql.serialize"):
            answer = answer_of(result, self.run_limits.answer_bytes)
        return replace(answer, extensions=result.extensions or {})

    async def _whole(self, prepared: PreparedRequest) -> Document:
        """Return the document with its own literals."""
        found = prepared.found
        if found.literals is None:
            return found.document
        return found.literals.whole or await self._read(prepared.request.query)

    def _is_traced(self, request: GraphQLRequest) -> bool:
        return request.traced and self._router.is_known(request.router)

    def is_of_catalog(self, prepared: PreparedRequest) -> bool:
        """Return whether the answer to an operation depends on nothing but the catalog, unless upstream is asked."""
        return prepared.depends_on.is_within(self._untold_or_catalog)

    def _depends_on(self, prepared: PreparedRequest, context: Context) -> DependsOn:
        """Return what the answer to an operation that ran in this context depends on."""
        request, depends_on = prepared.request, prepared.depends_on
        if depends_on is not DependsOn.CATALOG:
            depends_on &= ~self._untold_or_catalog | DependsOn.CATALOG
            if context.loaders.as_of is not None:
                depends_on &= ~DependsOn.TIME  # the moment stands in the operation or its variables
        if context.loaders.asked_upstream:
            depends_on |= DependsOn.UPSTREAM
        if request.receipt or self._is_traced(request):
            depends_on |= DependsOn.ASKER | DependsOn.TIME
        return depends_on
