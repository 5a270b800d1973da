"""Answers operations that need no waiting: without a slot, a task, a timer or a record from upstream.

Most operations of a busy gateway are like that: their documents and plans are known, the catalog has their records, and
they cost little. What the ordinary way does for those that may wait takes longer than such an operation itself.

Whatever does not fit is left to the ordinary way, as if nothing had been tried: what may wait, fails, costs more than
predicted, is traced or asks for more than its answer. Nothing of it is counted, taken from an allowance or cached here.
"""

from __future__ import annotations

from catalog import Snapshot
from engine import Engine, KnownPlan, Stopped
from gateway.admission_queue import Admission
from gateway.answer_subtrees_by_catalog import AnswerSubtreesByCatalog
from gateway.current_caller import Caller
from gateway.engine_or_strawberry import OperationRunner
from gateway.fair_use import FairUse
from gateway.graphql_answer import GraphQLAnswer, answer_of_catalog
from gateway.operation_log import OperationLog
from gateway.operation_measurements import OperationMeasurements
from gateway.prepared_request import GraphQLRequest, PreparedRequest
from gateway.request_preparation import RequestPreparation
from resolvers.loading import Context
from telemetry import tracer

MAX_UNITS = 1_000
"""The units that an operation may be predicted to cost: about two milliseconds of processor time."""

MAX_STEPS = 5_000
"""The steps of work, of about a microsecond each, after which it is left to the ordinary way. So it cannot cost so much
more than was predicted that its client would owe units for it."""

MAX_BYTES = 100_000
"""The bytes of an answer. A larger one may have to be compressed in a thread."""


class AnswersWithoutWaiting:
    """Answers the operations of one gateway."""

    def __init__(
        self,
        preparation: RequestPreparation,
        runner: OperationRunner,
        engine: Engine | None,
        subtrees: AnswerSubtreesByCatalog,
        admission: Admission,
        fair_use: FairUse | None,
        measurements: OperationMeasurements,
        log: OperationLog,
    ) -> None:
        self._preparation = preparation
        self._runner = runner
        self._engine = engine
        self._subtrees = subtrees
        self._admission = admission
        self._fair_use = fair_use
        self._measurements = measurements
        self._log = log
        self._most_bytes = min(MAX_BYTES, runner.run_limits.answer_bytes) - len(b'{"data":}')
        """The most bytes of the data."""

    def prepared(self, request: GraphQLRequest, snapshot: Snapshot) -> PreparedRequest | None:
        """Return a request with its document, if that is known and asks for no other catalog."""
        return self._preparation.prepared_at_once(request, snapshot)

    def answer(self, prepared: PreparedRequest, by: Caller, paid: int) -> GraphQLAnswer | None:
        """Return the answer, which the catalog alone decides and which has no errors; ``None`` if it has to wait.

        ``paid`` are the units that were taken for the request before.
        """
        began, prediction, snapshot = self._log.clock(), prepared.prediction, prepared.snapshot
        if self._engine is None or prediction is None or snapshot is None or not _is_plain(prepared):
            return None
        units, request = prediction.cost.units, prepared.request
        if units > MAX_UNITS:
            return None
        try:
            work = self._runner.work(request, MAX_STEPS)
        except Stopped:
            return None  # its variables alone are too many
        if not self._runner.is_of_catalog(prepared):
            return None
        known = self._engine.known_plan(prepared.found.text, request.operation_name, request.variables)
        if known is None:
            return None
        if self._fair_use is not None and not self._fair_use.reserve(by.client, units - paid):
            return None
        slot = self._admission.slot_at_once(by)
        if slot is None:
            return None
        with slot:
            answer = self._ran(
                self._engine, known, prepared, snapshot, self._runner.begin(request, snapshot, work)
            )
        if answer is None:
            return None
        if self._fair_use is not None:
            self._fair_use.use(by.client, units - paid)
        seconds = self._log.clock() - began
        self._measurements.from_memory += 1
        self._measurements.ended(request, prepared.found.document, answer, seconds)
        self._log.ended(request, prepared, answer, 0, seconds)
        return answer

    def _ran(
        self,
        engine: Engine,
        known: KnownPlan,
        prepared: PreparedRequest,
        snapshot: Snapshot,
        context: Context,
    ) -> GraphQLAnswer | None:
        literals = prepared.found.literals
        data = engine.run_at_once(
            known,
            context,
            context.work.spend,
            None if literals is None else literals.values,
            self._subtrees.of(snapshot.catalog),
            self._most_bytes,
        )
        return None if data is None else answer_of_catalog(data, snapshot)


def _is_plain(prepared: PreparedRequest) -> bool:
    """Return whether an operation can run, and nothing is asked for but its answer from the present catalog."""
    request = prepared.request
    return not (
        prepared.refusals
        or prepared.found.document.in_parts is not None
        or prepared.as_of is not None
        or prepared.failure is not None
        or request.receipt
        or request.explain
        or request.traced
        or tracer() is not None
    )
