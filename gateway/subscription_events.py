"""Runs subscriptions, by Strawberry's own execution: each event becomes an answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from strawberry.types.execution import ExecutionResult

from engine import RunLimits, Stopped
from gateway.admission_queue import Admission
from gateway.engine_or_strawberry import OperationRunner
from gateway.graphql_answer import GraphQLAnswer, event_of
from gateway.limit_refusals import LimitRefusals
from gateway.prepared_request import PreparedRequest
from gateway.request_preparation import RequestPreparation
from schema import given, schema


class SubscriptionEvents:
    """Runs the subscriptions of one gateway."""

    def __init__(
        self,
        admission: Admission,
        preparation: RequestPreparation,
        runner: OperationRunner,
        run_limits: RunLimits,
        refusals: LimitRefusals,
    ) -> None:
        self._admission = admission
        self._preparation = preparation
        self._runner = runner
        self._run_limits = run_limits
        self._refusals = refusals

    async def answers(self, prepared: PreparedRequest) -> AsyncGenerator[GraphQLAnswer]:
        """Yield the answers to a subscription as they come.

        One that says that the subscription never ran, or cannot go on, is the last.
        """
        request = prepared.request
        try:
            # A subscription needs a slot to begin; later events come without one.
            async with self._admission.turn():
                await self._preparation.pay(prepared)
                context = self._runner.begin(request, prepared.snapshot)
        except Stopped as stopped:
            yield self._refusals.during(stopped)
            return
        with given(prepared.document, self._run_limits, request.on_error) as extensions:
            results = await schema.stream(
                request.query,
                variable_values=request.variables,
                operation_name=request.operation_name,
                context_value=context,
                operation_extensions=extensions,
            )
            try:
                async with aclosing(results):
                    is_first = True
                    async for result in results:
                        # A subscription has no parts of a result.
                        assert isinstance(result, ExecutionResult)
                        if not is_first:
                            await self._preparation.pay(prepared)
                        is_first = False
                        answer = event_of(result, self._run_limits.answer_bytes)
                        yield answer
                        if not answer.ran:
                            return
            except Stopped as stopped:
                yield self._refusals.during(stopped)
            finally:
                # Each event has its own loaders, and not those of the start.
                context.loaders.close()
