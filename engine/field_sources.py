"""Gets the values of a field for all objects at one plan node."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from inspect import iscoroutinefunction
from operator import attrgetter
from types import CoroutineType
from typing import Any, Protocol

import msgspec
from msgspec.structs import force_setattr

from engine.event_loop_yielding import turns
from engine.fallback_reasons import Fallback
from engine.relation_protocols import Relation
from engine.run_state import Pending, PlanRun, Values
from engine.step_costs import CALL, CALL_AWAITED
from engine.synchronous_run import at_once

RELATED_AT_ONCE, CALLED_AT_ONCE = 500, 8
"""How many parents are handled before the clock is read again."""


class FieldSource(Protocol):
    """Gets the values of a field. It is one of the classes below."""

    def values(self, parents: Sequence[Any], run: PlanRun, pending: Pending) -> Values | Awaitable[Any]:
        """Return one value for each parent, an error in the place of one that failed.

        Values that are not known yet are listed in ``pending``; if there is no such list, they are awaited here.
        """

    async def values_in_turns(
        self, parents: Sequence[Any], run: PlanRun, pending: Pending
    ) -> Values | Awaitable[Any]:
        """Return the same for many parents, and let the event loop turn in between."""

    def __str__(self) -> str: ...


class Attribute(msgspec.Struct, frozen=True, eq=False, gc=False):
    """Reads an attribute of the parent."""

    name: str

    def values(self, parents: Sequence[Any], run: PlanRun, pending: Pending) -> list[Any]:
        """Return the attribute of each parent."""
        return list(map(attrgetter(self.name), parents))

    async def values_in_turns(self, parents: Sequence[Any], run: PlanRun, pending: Pending) -> list[Any]:
        """Return the same. It takes a millisecond for 30,000 parents, so there is no pause."""
        return self.values(parents, run, pending)

    def __str__(self) -> str:
        return f"attribute {self.name}"


class Related(msgspec.Struct, frozen=True, eq=False, gc=False):
    """Follows a declared relation, in one batch for all parents."""

    relation: Relation
    attribute: str
    """Where a parent has the id of its record, or the ids of its records."""
    is_to_one: bool

    def values(self, parents: Sequence[Any], run: PlanRun, pending: Pending) -> Values | Awaitable[Any]:
        """Return what the parents are related to."""
        known = self.relation.known(parents, run.context)
        if known is None:
            return self.relation.load(parents, run.context)
        if isinstance(known, dict):
            run.known_records += len(parents)
        else:
            run.known_records += known.count
            run.spend(known.count)
        return known

    async def values_in_turns(
        self, parents: Sequence[Any], run: PlanRun, pending: Pending
    ) -> Values | Awaitable[Any]:
        """Return what the parents are related to. This takes several batches if everything is known, and otherwise
        one."""
        found: Any = None
        for some in _batches(parents, RELATED_AT_ONCE):
            if run.is_turn_over():
                await turns().next()
            known: Any = self.relation.known(some, run.context)
            if known is None:
                return self.relation.load(parents, run.context)
            if not isinstance(known, dict):
                run.spend(known.count)
            if found is None:
                found = known
            elif isinstance(known, dict):
                found |= known
            else:
                found.keys += known.keys
                found.count += known.count
                found.found |= known.found
        run.known_records += len(parents) if isinstance(found, dict) else found.count
        values: Values = found
        return values

    def __str__(self) -> str:
        return f"relation by {self.attribute}, one batch"


class Called(msgspec.Struct, frozen=True, eq=False, gc=False):
    """Calls a resolver for each parent, as Strawberry does."""

    resolve: Callable[..., Any]
    takes_parent: bool
    """Whether the parent is the first argument."""
    parent_name: str | None
    """The keyword for the parent, if there is one."""
    named: Callable[[PlanRun], dict[str, Any]] | None
    """The other keywords. They are made once for all parents, because a resolver does not change its arguments."""
    steps: int = 0
    """Steps of work for one call."""

    def __post_init__(self) -> None:
        """Find out the steps."""
        force_setattr(self, "steps", CALL_AWAITED if iscoroutinefunction(self.resolve) else CALL)

    def values(self, parents: Sequence[Any], run: PlanRun, pending: Pending) -> list[Any]:
        """Return what the resolver gives for each parent."""
        run.spend(self.steps * len(parents))
        if len(parents) == 1 and self.parent_name is None:
            return self._value(parents[0], run, pending)
        values: list[Any] = []
        named = self._named(run) if self.named else {}
        try:
            self._call(parents, named, values)
        finally:
            _note_awaitables(values, pending)
        return values

    async def values_in_turns(self, parents: Sequence[Any], run: PlanRun, pending: Pending) -> list[Any]:
        """Return what the resolver gives for each parent. What has to be awaited begins only when all are
        called."""
        run.spend(self.steps * len(parents))
        values: list[Any] = []
        named = self._named(run) if self.named else {}
        try:
            for some in _batches(parents, CALLED_AT_ONCE):
                if run.is_turn_over():
                    await turns().next()
                self._call(some, named, values)
        finally:
            _note_awaitables(values, pending)
        return values

    def _value(self, parent: Any, run: PlanRun, pending: Pending) -> list[Any]:
        """Return the value for one parent, in a third of the time. Most fields near the root have only one parent."""
        try:
            named = self.named(run) if self.named else {}
            value = self.resolve(parent, **named) if self.takes_parent else self.resolve(**named)
            if value.__class__ is CoroutineType and not run.may_wait:
                value = at_once(value)
        except Fallback:
            raise
        except Exception as error:
            value = error
        values = [value]
        if hasattr(value, "__await__"):
            pending.append((values, 0, value))
        return values

    def _named(self, run: PlanRun) -> dict[str, Any] | Exception:
        try:
            assert self.named is not None
            return self.named(run)
        except Fallback:
            raise
        except Exception as error:
            return error  # of each parent's field

    def _call(self, parents: Sequence[Any], named: dict[str, Any] | Exception, values: list[Any]) -> None:
        if isinstance(named, Exception):
            values += [named] * len(parents)
            return
        resolve, parent_name = self.resolve, self.parent_name
        for parent in parents:
            if parent_name is not None:
                named[parent_name] = parent
            try:
                values.append(resolve(parent, **named) if self.takes_parent else resolve(**named))
            except Fallback:
                raise
            except Exception as error:
                values.append(error)

    def __str__(self) -> str:
        return f"resolver {getattr(self.resolve, '__qualname__', self.resolve)}"


def _note_awaitables(values: list[Any], pending: Pending) -> None:
    # This happens after an exception too, so that no awaitable is left that nobody awaits.
    if [class_ for class_ in set(map(type, values)) if hasattr(class_, "__await__")]:
        for index, value in enumerate(values):
            if hasattr(value, "__await__"):
                pending.append((values, index, value))


def _batches(parents: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (parents[start : start + size] for start in range(0, len(parents), size))
