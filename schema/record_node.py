"""Declares what the types over v4's records share: two ids, and fields that are resolved from the record itself."""

from __future__ import annotations

from typing import ClassVar

import strawberry
from strawberry import relay

from engine import DependsOn, decided_by_class, depends_on
from upstream.client import Record


def database_id(root: Record) -> int:
    """Return the id of the record itself."""
    return root.id


@strawberry.type
class RecordNode(relay.Node):
    """Is the base of such a type. Its fields read the attributes of ``record``, whose names are v4's own."""

    record: ClassVar[type[Record]]

    database_id = strawberry.field(
        resolver=database_id,
        metadata=depends_on(DependsOn.CATALOG),
        description="The number of the record in the REST API.",
    )

    @classmethod
    def resolve_id(cls, root: Record, *, info: strawberry.Info) -> str:  # type: ignore[override]
        """Return the part of the global id behind the type's name."""
        return str(root.id)

    @classmethod
    @decided_by_class
    def is_type_of(cls, obj: object, _info: object) -> bool:
        """Return whether a record has this type. The execution asks this for a field whose type is an interface."""
        return isinstance(obj, cls.record)
