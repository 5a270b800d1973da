"""Describes what a plan node says of one object. Nodes of different plans that say the same have the same signature.

A signature has the type, and for each key of the answer the field, its arguments and the signature of what is below. A
node has one if all of its fields and all fields below are cacheable (``engine.cacheable_fields``). So its answers are
the same for every request, for as long as the catalog stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from graphql import GraphQLObjectType

Arguments: TypeAlias = tuple[tuple[str, str], ...]
"""The names and the literals of the arguments in a field, by name."""

Field: TypeAlias = "tuple[str, str, Arguments, SelectionSignature | None]"
"""The key of a field in the answer, its name in the schema, its arguments, and the signature of what is below."""


@dataclass(frozen=True, slots=True, eq=False, repr=False, weakref_slot=True)
class SelectionSignature:
    """Describes what is said of an object. Equal signatures are one object for as long as they are in use."""

    type: GraphQLObjectType
    fields: tuple[Field, ...]
    is_cached: bool
    """Whether making an answer with this signature takes long enough to be worth the memory."""
    steps: int
    """Steps of work for one record, without those of what is below."""
    relations: tuple[RelationBelow, ...]
    values: tuple[tuple[int, SelectionSignature], ...]
    """The numbers of the columns with objects that resolvers make of the record, and what is said of these."""
    is_of_records: bool
    """Whether subtrees are cached about records. If not, lists of objects that resolvers make are below: how many there
    are cannot be told from a record. Then subtrees are cached about values that are reused
    (``engine.value_subtree_cache``)."""

    @property
    def is_flat(self) -> bool:
        """Return whether nothing is below."""
        return not self.relations and not self.values


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RelationBelow:
    """Describes a relation of the records of a signature to others, and what is said of these."""

    column: int
    """The number of its column."""
    named: Callable[[Any], Any]
    """Reads from a record the id of the related one, or the ids of the related ones."""
    is_to_one: bool
    signature: SelectionSignature
