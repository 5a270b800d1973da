"""Prepares requests: finds the document and the catalog, predicts what the operation costs, and takes that from the
allowance of the client."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime

from msgspec.structs import replace

from catalog import CatalogSource, Snapshot
from gateway.admission_queue import Turn
from gateway.as_of_version import AsOf, find_as_of
from gateway.cost import USUAL_AVERAGES, Prediction, catalog_averages, why_too_dear
from gateway.current_caller import caller
from gateway.document_cache import DocumentCache
from gateway.fair_use import REQUEST, FairUse
from gateway.graphql_answer import NOT_AT_HAND
from gateway.named_operation import as_of_directive
from gateway.prepared_request import GraphQLRequest, PreparedRequest
from gateway.request_document import RequestDocument

READING = 4
"""The units for each character of a document that is not known: to parse and validate it takes 5 to 15 microseconds a
character, measured with documents of 60 to 9,000 characters."""

STEPS = 2
"""The steps of work of one unit."""

UNSETTLED = 5_000
"""The units up to which an operation costs what was predicted, however much it was. Lists are as long as an average one
in predictions, so an operation that looks for the longest can take twenty times as much."""


REBUILD, REBUILD_DAY = 75_000, 3_000
"""The units for rebuilding an older version of the catalog, and those for each day since. With 5,400 packages, of which
1,000 change each day, it takes 0.15 s of processor time after one day and 0.32 s after thirty."""


class RequestPreparation:
    """Prepares the requests of one gateway. An answer can have ``most_values``, as predicted."""

    def __init__(
        self, source: CatalogSource, documents: DocumentCache, most_values: int, fair_use: FairUse | None
    ) -> None:
        self._source = source
        self._documents = documents
        self._most_values = most_values
        self._fair_use = fair_use
        self._before_reading = None if fair_use is None else self._pay_for_reading

    async def prepared(
        self,
        request: GraphQLRequest,
        snapshot: Snapshot | None,
        turn: AbstractAsyncContextManager[object] | None = None,
    ) -> PreparedRequest:
        """Return a request with its document. ``snapshot`` is the catalog that was taken for the request.

        A document that is not known is read in the ``turn``, unless the request has one already.

        :raises RateLimited: the document is not known, and the client has too few units for having it read.
        :raises Overloaded: it is not known, and no slot became free to read it.
        """
        found = await self._documents.find_aside(request.query, self._before_reading, turn)
        prepared = self._with_document(request, found, snapshot)
        if not found.document.as_of or prepared.refusals:
            return prepared
        directive = as_of_directive(found.document, request.operation_name)
        if directive is None:
            return prepared
        try:
            as_of = await find_as_of(directive, request.variables, self._source)
        except NOT_AT_HAND as error:
            return replace(prepared, failure=error)
        return replace(prepared, as_of=as_of)

    def prepared_at_once(self, request: GraphQLRequest, snapshot: Snapshot) -> PreparedRequest | None:
        """Return the same if the document is known, and does not ask for another catalog."""
        found = self._documents.find_known(request.query)
        if found is None or found.document.as_of:
            return None
        return self._with_document(request, found, snapshot)

    def _with_document(
        self, request: GraphQLRequest, found: RequestDocument, snapshot: Snapshot | None
    ) -> PreparedRequest:
        prediction = self._prediction(request, found, snapshot)
        too_dear = None if prediction is None else why_too_dear(prediction, self._most_values)
        return PreparedRequest.of(request, found, snapshot, prediction, too_dear)

    async def pay(self, prepared: PreparedRequest) -> None:
        """Take what the operation will cost from the allowance of its client.

        :raises RateLimited: the client has too few units.
        """
        if self._fair_use is not None and prepared.prediction is not None:
            await self._fair_use.take(caller.get().client, prepared.prediction.cost.units - REQUEST)

    async def pay_for_plan(self, prepared: PreparedRequest) -> None:
        """Take what it costs to plan the operation: as much as to read its document again.

        :raises RateLimited: the client has too few units.
        """
        if self._before_reading is not None:
            await self._before_reading(len(prepared.request.query))

    def settle(self, prepared: PreparedRequest, steps: int) -> None:
        """Take what an operation has cost beyond what was predicted, by the steps of work that it took."""
        if self._fair_use is not None and prepared.prediction is not None:
            more = steps // STEPS - max(prepared.prediction.cost.units, UNSETTLED)
            if more > 0:
                self._fair_use.owe(caller.get().client, more)

    def wait_for_rebuild(self, turn: Turn, as_of: AsOf, begins: bool) -> None:
        """Give up the turn of a request that has to wait for an older version of the catalog. If the version is rebuilt
        for this request, take what that costs."""
        turn.give_up()
        if begins and self._fair_use is not None:
            days = max(0, (datetime.now(UTC) - as_of.version.at).days)
            self._fair_use.owe(caller.get().client, REBUILD + REBUILD_DAY * days)

    async def _pay_for_reading(self, characters: int) -> None:
        assert self._fair_use is not None
        await self._fair_use.take(caller.get().client, READING * characters)

    def _prediction(
        self, request: GraphQLRequest, found: RequestDocument, snapshot: Snapshot | None
    ) -> Prediction | None:
        """Return what the operation will cost; ``None`` if there is none that can run."""
        formula = found.formulas.get(request.operation_name)
        if formula is None:
            return None
        known = snapshot or self._source.latest
        averages = USUAL_AVERAGES if known is None else known.catalog.view(catalog_averages)
        literals = None if found.literals is None else found.literals.values
        return formula.predicted(request.variables, literals, averages)
