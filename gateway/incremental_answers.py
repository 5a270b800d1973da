"""Answers an operation in parts, for ``@defer`` and ``@stream``: by Strawberry's execution, each part in a slot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from catalog import CatalogSource, Snapshot
from engine import RunLimits
from gateway.admission_queue import Admission, Turn
from gateway.deadline import Deadline
from gateway.engine_or_strawberry import OperationRunner
from gateway.graphql_answer import NOT_AT_HAND, later_answer, not_at_hand
from gateway.prepared_request import PreparedRequest
from gateway.request_preparation import RequestPreparation
from gateway.retry_later_errors import RetryLater
from resolvers import time_of
from resolvers.work_budget import DEFERRED
from schema import given, schema
from upstream.client import Receipt, continuing, recording

SnapshotOf = Callable[[PreparedRequest, Turn], Awaitable[Snapshot | None]]


class IncrementalAnswers:
    """Runs operations whose results come one after another."""

    def __init__(
        self,
        source: CatalogSource,
        admission: Admission,
        preparation: RequestPreparation,
        runner: OperationRunner,
        limits: RunLimits,
    ) -> None:
        self._source = source
        self._admission = admission
        self._preparation = preparation
        self._runner = runner
        self._limits = limits

    async def results(self, prepared: PreparedRequest, snapshot_of: SnapshotOf) -> AsyncGenerator[object]:
        """Yield the results as graphql-core gives them: all but what is deferred, then the rest as it comes.

        If no slot becomes free, a :class:`GraphQLAnswer` is the last result. ``snapshot_of`` gives the catalog that the
        request is answered from.

        :raises Stopped: the rest does not come.
        """
        request = prepared.request
        try:
            async with self._admission.turn() as turn:
                await self._preparation.pay(prepared)
                snapshot = await snapshot_of(prepared, turn)
        except RetryLater as error:
            yield later_answer(error)
            return
        except NOT_AT_HAND as error:
            yield not_at_hand(error)
            return
        until = asyncio.get_running_loop().time() + self._limits.seconds
        receipt = Receipt()
        with recording(receipt), continuing(request.traceparent), time_of(snapshot):
            context = self._runner.begin(request, snapshot)
            with given(prepared.document, self._limits, request.on_error, in_parts=True) as extensions:
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
                            # No slot is held while a part is sent: the client may be slow.
                            async with self._admission.turn() as turn:
                                receipt.begin_waiting = turn.give_up
                                with Deadline(
                                    self._limits.seconds, until - asyncio.get_running_loop().time()
                                ):
                                    result = await anext(results)
                                context.work.spend(DEFERRED * len(getattr(result, "pending", None) or ()))
                            yield result
                except StopAsyncIteration:
                    await self._source.take(context.loaders.found)
                    return
                except RetryLater as error:
                    yield later_answer(error)
                finally:
                    self._preparation.settle(prepared, context.work.spent)
                    context.loaders.close()
