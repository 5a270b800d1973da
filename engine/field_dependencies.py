"""Declares what an answer can depend on, as each field with a resolver states it.

A schema's field says ``metadata=depends_on(...)``. A walk over an operation joins what its fields declare, so that an
answer is cached only where the catalog alone decides it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Flag, auto
from typing import Any

from graphql import GraphQLField
from strawberry.types.field import StrawberryField

_KEY = "depends_on"


class DependsOn(Flag):
    """Names what decides the value of a field, apart from the field's arguments."""

    CATALOG = auto()
    """The version of the catalog."""
    UPSTREAM = auto()
    """The present answer of upstream, if the catalog does not have what is asked for."""
    TIME = auto()
    """The moment at which the answer is made."""
    FEED = auto()
    """The changes that are stored, which can grow while the catalog stays."""
    ASKER = auto()
    """The client that asks: the headers of its request."""

    def is_within(self, others: DependsOn) -> bool:
        """Return whether nothing is among these but what is among others."""
        # This takes a tenth of the time of the operators of enumerations.
        return not self._value_ & ~others._value_


EVERYTHING = ~DependsOn(0)
"""The dependencies of a field that declares none: its answers are never cached."""


def depends_on(what: DependsOn) -> Mapping[str, DependsOn]:
    """Declare what a field, or a field of an input, depends on: the ``metadata`` of a Strawberry field."""
    return {_KEY: what}


def declared(field: StrawberryField) -> DependsOn | None:
    """Return what a field declares, or ``None`` if it declares nothing."""
    what: Any = field.metadata.get(_KEY)
    assert what is None or isinstance(what, DependsOn)
    return what


def of_field(definition: GraphQLField | None) -> DependsOn:
    """Return what a field of a schema depends on: one with a resolver that declares nothing, on everything."""
    field = (definition.extensions or {}).get("strawberry-definition") if definition is not None else None
    if not isinstance(field, StrawberryField):
        return DependsOn(0)  # graphql-core's own, which the schema alone decides
    what = declared(field)
    if what is not None:
        return what
    is_ours = field.base_resolver is not None and not is_of_strawberry(field)
    return EVERYTHING if is_ours else DependsOn.CATALOG


def is_of_strawberry(field: StrawberryField) -> bool:
    """Return whether Strawberry itself resolves a field, as it does a global id."""
    if field.base_resolver is None:
        return False
    module: str = field.base_resolver.wrapped_func.__module__
    return module.startswith("strawberry.")
