"""Declares what the engine asks of a relation between records, so that one batch serves all records at a plan node.

If the resolver of a field is a method of such an object, it is not called for each record. The engine asks the object
itself. It knows records by their ids alone. The implementation decides what a record is and where it comes from.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Any, Generic, Protocol, TypeAlias, TypeVar, runtime_checkable

import msgspec

R = TypeVar("R")

RecordId: TypeAlias = int
"""A record's identity: the number by which relations name it. Records with equal ids are one record."""


class ListsByKey(msgspec.Struct, Generic[R], eq=False):
    """Holds what several parents are related to. A record that they share occurs once."""

    keys: list[Sequence[RecordId]]
    """The keys of the records of each parent in turn."""
    count: int
    """The number of keys in all of them."""
    found: dict[RecordId, R]
    """One record for each distinct key, all of one class."""


@runtime_checkable
class RelationToOne(Protocol):
    """Relates each parent to one record."""

    @property
    def key(self) -> str:
        """Return the attribute of a parent that has the related record's id."""

    def known(self, parents: Sequence[Any], context: Any) -> dict[RecordId, Any] | None:
        """Find what ``parents`` are related to, without waiting: each record once, or None if one is unknown.

        The records are all of one class.
        """

    def load(self, parents: Sequence[Any], context: Any) -> Awaitable[list[Any]]:
        """Load what each of ``parents`` is related to: a record, None, or the error that the load met."""


@runtime_checkable
class RelationToMany(Protocol):
    """Relates each parent to a list of records."""

    @property
    def keys(self) -> str:
        """Return the attribute of a parent that has the ids of the related records."""

    def known(self, parents: Sequence[Any], context: Any) -> ListsByKey[Any] | None:
        """Find what ``parents`` are related to, without waiting, or None if one of the records is unknown.

        Each item of the lists counts as a step of work.
        """

    def load(self, parents: Sequence[Any], context: Any) -> Awaitable[list[list[Any]]]:
        """Load a list for each of ``parents``; an item is a record, None, or the error that its load met."""


Relation: TypeAlias = RelationToOne | RelationToMany
