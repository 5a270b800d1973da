"""Holds what one run of a plan is given, and what it finds out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import msgspec
from graphql import GraphQLResolveInfo
from graphql.execution.values import VariableValues

from engine.answer_subtree_cache import AnswerSubtreeCache
from engine.event_loop_yielding import turns
from engine.field_failures import AnswerEncoder
from engine.relation_protocols import ListsByKey, RecordId
from engine.run_limits import NO_LIMITS
from engine.run_spans import SpanMaker, untraced
from engine.runtime_types import RuntimeTypes
from engine.step_costs import Spend, uncounted

LOOK_AT_TIME = 500
"""The work, in about microseconds, after which the time is looked at."""

Pending = list[tuple[list[Any], int, Awaitable[Any]]]
"""What a level waits for: the list and the place in it that the awaited value belongs to."""

Values: TypeAlias = list[Any] | dict[RecordId, Any] | ListsByKey[Any]
"""A value for each object of a plan node; or, of a relation, all those found, by their keys."""


class PlanRun(msgspec.Struct, eq=False):
    """Holds the state of one run."""

    variables: VariableValues
    context: Any
    types: RuntimeTypes
    most_bytes: int = NO_LIMITS.answer_bytes
    """The bytes of the answer."""
    encoder: AnswerEncoder = msgspec.field(default_factory=AnswerEncoder)
    work: int = 0
    """The work since the time was last looked at, in about microseconds."""
    at_once: bool = True
    """Whether all relations that were met were known to the catalog and led to few values."""
    values: int = 0
    """An upper bound for the number of values in what was answered at once."""
    known_records: int = 0
    """How many records relations found without waiting."""
    span: SpanMaker = untraced
    """Traces the levels."""
    spend: Spend = uncounted
    """Counts steps of work, and stops the operation when they are too many."""
    declared: dict[str, Any] | None = None
    """The values of the variables that the operation declares, if there are others; resolvers are told of no others."""
    subtrees: AnswerSubtreeCache | None = None
    """The subtrees of the catalog that the operation is answered from."""
    may_wait: bool = True
    """Whether it may wait. If not, it ends at the first field that would have to, or that fails."""
    used_subtrees: bool = False
    """Whether subtrees are in the answer, found or made for it."""

    def is_turn_over(self) -> bool:
        """Return whether the event loop has to turn now."""
        self.work = 0
        return turns().is_over()


InfoFor: TypeAlias = Callable[[PlanRun], GraphQLResolveInfo[Any]]
"""Makes what the resolvers of one field are told of the operation."""
