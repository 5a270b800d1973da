"""Runs Strawberry's execution within the limits of a run: it lets the event loop turn, and counts what it answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from functools import partial
from inspect import isawaitable
from types import CoroutineType
from typing import Any, cast

from graphql import GraphQLError, GraphQLObjectType, get_named_type, is_leaf_type, located_error
from graphql.execution.collect_fields import GroupedFieldSet
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from engine import (
    ERROR,
    NO_LIMITS,
    AnswerTooLarge,
    AtTurn,
    InTurn,
    OutOfTime,
    RunLimits,
    Stopped,
    turns,
    uncounted,
)
from resolvers.loading import Context
from resolvers.work_budget import AWAITED, FIELD, INTROSPECTED
from schema.error_behavior import OnError

LIMITS, UNAWAITED, ON_ERROR = "limits", "unawaited", "on_error"
"""The keys in ``operation_extensions`` of the run's limits, of the coroutines that nobody awaits yet, and of what the
error of a field does."""


class Unawaited:
    """Holds the coroutines of one run that nobody awaits yet."""

    def __init__(self) -> None:
        self._coroutines: set[Coroutine[Any, Any, Any]] = set()
        self._is_over = False

    def add(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Add one.

        :raises CancelledError: the run is over, and this part of it continued alone.
        """
        if self._is_over:
            coroutine.close()
            raise asyncio.CancelledError
        self._coroutines.add(coroutine)

    def discard(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Take one out that is awaited now."""
        self._coroutines.discard(coroutine)

    def close(self) -> None:
        """Close them all, because the run is over."""
        self._is_over = True
        for coroutine in self._coroutines:
            coroutine.close()
        self._coroutines.clear()


class AnswerSize:
    """Counts the bytes of an answer while it is made. At least this many will be sent."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._bytes = 0

    def add(self, count: int) -> None:
        """Count more.

        :raises Stopped: that makes too many.
        """
        self._bytes += count
        if self._bytes > self._most:
            raise Stopped(AnswerTooLarge(self._most, self._bytes))


class LimitedExecutor(StrawberryGraphQLCoreExecutionContext):
    """Executes operations over the schema. Its signatures are those of graphql-core, which calls these methods."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._limits: RunLimits = (self.operation_extensions or {}).get(LIMITS, NO_LIMITS)
        self._size = AnswerSize(self._limits.answer_bytes)
        self._on_error: OnError = (self.operation_extensions or {}).get(ON_ERROR, "PROPAGATE")
        self.error_propagation = self._on_error != "NULL"
        self._is_event = False
        self._unawaited: Unawaited = (self.operation_extensions or {}).get(UNAWAITED) or Unawaited()
        # An operation without a context asks only about the schema, or is not run.
        self._spend = self.context_value.work.spend if isinstance(self.context_value, Context) else uncounted

    def build_per_event_executor(self, payload: Any) -> LimitedExecutor:
        """Give each event of a subscription limits of its own."""
        executor = cast(LimitedExecutor, super().build_per_event_executor(payload))
        executor._size = AnswerSize(self._limits.answer_bytes)
        executor._is_event = True
        return executor

    def execute_operation(self, serially: bool | None = None) -> Any:
        """Execute an operation. An event of a subscription has a limited time."""
        result = super().execute_operation(serially)
        return self._in_time(result) if self._is_event and self.is_awaitable(result) else result

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: Any,
    ) -> Any:
        """Count an object's fields and their keys, then execute them."""
        fields = len(grouped_field_set)
        self._spend(INTROSPECTED * fields if parent_type.name.startswith("__") else FIELD * (1 + fields))
        self._size.add(sum(map(len, grouped_field_set)) + 4 * len(grouped_field_set) + 1)
        return self._noted(
            super().execute_fields(parent_type, source_value, path, grouped_field_set, position_context)
        )

    def execute_field(self, *asked: Any) -> Any:
        """Execute a field."""
        return self._noted(super().execute_field(*asked))

    def handle_field_error(self, raw_error: Exception, return_type: Any, fields: Any, path: Path) -> None:
        """Count the error of a field, then take it for its value, or stop there.

        :raises GraphQLError: it makes what is above it null, up to the whole answer if a request halts.
        """
        self._spend(ERROR)
        if self._on_error == "HALT":
            raise located_error(raw_error, [each.node for each in fields], path.as_list())
        super().handle_field_error(raw_error, return_type, fields, path)

    def complete_iterable_value(self, *asked: Any) -> Any:
        """Complete the items of a list."""
        return self._noted(super().complete_iterable_value(*asked))

    def complete_leaf_value(self, return_type: Any, result: Any) -> Any:  # type: ignore[override]
        """Complete a leaf and count it."""
        completed = super().complete_leaf_value(return_type, result)
        self._size.add(len(completed) + 2 if completed.__class__ is str else 1)
        return completed

    def complete_list_item_value(
        self,
        item: Any,
        complete_results: list[Any],
        item_type: Any,
        field_details_list: Any,
        info: Any,
        item_path: Any,
        position_context: Any,
    ) -> bool:
        """Complete an item at once, or in a later turn if this one has lasted long enough."""
        if turns().is_over() and not is_leaf_type(get_named_type(item_type)):
            later = super().complete_awaitable_list_item_value(
                AtTurn(item), item_type, field_details_list, info, item_path, position_context
            )
            complete_results.append(self._noted(later))
            return True
        is_awaitable = super().complete_list_item_value(
            item, complete_results, item_type, field_details_list, info, item_path, position_context
        )
        if is_awaitable:
            complete_results[-1] = self._noted(complete_results[-1])
        return is_awaitable

    def complete_awaitable_value(
        self,
        return_type: Any,
        field_details_list: Any,
        info: Any,
        path: Any,
        result: Any,
        position_context: Any,
    ) -> Any:
        """Complete what was awaited, in a later turn if this one has lasted long enough."""
        begun = InTurn(self._noted(result))  # This comes first, so that it is closed if the budget is spent.
        self._spend(AWAITED)
        return super().complete_awaitable_value(
            return_type, field_details_list, info, path, begun, position_context
        )

    def execute_execution_group(self, *asked: Any) -> Any:
        """Execute a deferred part. If it is stopped, that is its error."""
        return _with_its_error(partial(super().execute_execution_group, *asked))

    def complete_stream_item(self, *asked: Any) -> Any:
        """Complete an item of a streamed list. If it is stopped, that is its error."""
        return _with_its_error(partial(super().complete_stream_item, *asked))

    def _noted(self, value: Any) -> Any:
        return _Noted(value, self._unawaited) if value.__class__ is CoroutineType else value

    async def _in_time(self, result: Awaitable[Any]) -> Any:
        try:
            async with asyncio.timeout(self._limits.seconds) as time:
                return await result
        except TimeoutError:
            if not time.expired():
                raise
            raise Stopped(OutOfTime(self._limits.seconds)) from None


class _Noted:
    """Wraps a coroutine, which is among those of its run for as long as nobody awaits it."""

    __slots__ = ("_coroutine", "_unawaited")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], unawaited: Unawaited) -> None:
        unawaited.add(coroutine)
        self._coroutine, self._unawaited = coroutine, unawaited

    def __await__(self) -> Generator[Any, Any, Any]:
        self._unawaited.discard(self._coroutine)
        return self._coroutine.__await__()


def _with_its_error(execute: Callable[[], Any]) -> Any:
    # graphql-core would tell the client of it, but lose the error itself.
    try:
        result = execute()
    except Stopped as stopped:
        raise _told(stopped) from None
    return _awaited_with_its_error(result) if isawaitable(result) else result


async def _awaited_with_its_error(result: Awaitable[Any]) -> Any:
    try:
        return await result
    except Stopped as stopped:
        raise _told(stopped) from None


def _told(stopped: Stopped) -> GraphQLError:
    return GraphQLError(str(stopped), original_error=stopped.error)
