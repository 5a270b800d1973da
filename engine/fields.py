"""Where the value of a field comes from, for all objects that stand at one place of an operation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Protocol, TypeAlias

import msgspec
from graphql.execution.values import VariableValues
from graphql.pyutils import Path

from engine.handover import HandOver
from resolvers.relation import ListsByKey, ToMany, ToOne

Pending = list[tuple[list[Any], int, Awaitable[Any]]]
"""What a level waits for: the list and the place in it that the awaited value belongs to."""


Values: TypeAlias = list[Any] | dict[int, Any] | ListsByKey[Any]
"""A value for each object of a place; or, of a relation, all those found, by their keys."""


class Request(msgspec.Struct, eq=False):
    """What one run of a plan is given."""

    variables: VariableValues
    context: Any
    all_known: bool = True
    """Whether no relation was met yet that the catalog does not know."""


class Source(Protocol):
    """One of the classes below."""

    def values(self, parents: Sequence[Any], request: Request, pending: Pending) -> Values | Awaitable[Any]:
        """One value for each parent. What is not known yet is in ``pending``, or it is all awaited."""

    def __str__(self) -> str: ...


class Attribute:
    """An attribute of the parent."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._get = attrgetter(name)

    def values(self, parents: Sequence[Any], request: Request, pending: Pending) -> list[Any]:
        """The attribute of each parent."""
        return list(map(self._get, parents))

    def __str__(self) -> str:
        return f"attribute {self.name}"


@dataclass(frozen=True, slots=True)
class Related:
    """A declared relation: one batch for all parents."""

    relation: ToOne[Any] | ToMany[Any]

    def values(self, parents: Sequence[Any], request: Request, pending: Pending) -> Values | Awaitable[Any]:
        """What the parents are related to."""
        return self.relation.of(parents, request.context)

    def __str__(self) -> str:
        key = self.relation.key if isinstance(self.relation, ToOne) else self.relation.keys
        return f"relation by {key}, one batch"


@dataclass(frozen=True, slots=True)
class Called:
    """A resolver, called for each parent as Strawberry calls it."""

    resolve: Callable[..., Any]
    takes_parent: bool
    """Whether the parent is the first argument."""
    parent_name: str | None
    """The keyword that takes the parent, if any."""
    named: Callable[[Request], dict[str, Any]] | None
    """The other keywords, if any: made once for all parents, as a resolver does not change its arguments."""

    def values(self, parents: Sequence[Any], request: Request, pending: Pending) -> list[Any]:
        """What the resolver gives for each parent."""
        named = self.named(request) if self.named else {}
        resolve, parent_name = self.resolve, self.parent_name
        values: list[Any] = []
        try:
            for parent in parents:
                if parent_name is not None:
                    named[parent_name] = parent
                values.append(resolve(parent, **named) if self.takes_parent else resolve(**named))
        finally:
            # Also after an exception, so that none is left that nobody awaits.
            if [class_ for class_ in set(map(type, values)) if hasattr(class_, "__await__")]:
                for place, value in enumerate(values):
                    if hasattr(value, "__await__"):
                        pending.append((values, place, value))
        return values

    def __str__(self) -> str:
        return f"resolver {getattr(self.resolve, '__qualname__', self.resolve)}"


class UnknownPath(Path):
    """The path of a field below the root, whose parents the engine does not keep."""

    @property
    def prev(self) -> Path | None:
        """Not known here."""
        raise HandOver("path")

    def as_list(self) -> list[str | int]:
        """Not known here."""
        raise HandOver("path")
