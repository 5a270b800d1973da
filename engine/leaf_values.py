"""Tells which values of leaf types JSON takes as they are, and converts the others.

The generated source has a test for each leaf type, which almost every value passes. The others go to a converter. It
completes a leaf value as graphql-core does (spec, 6.4.3), marks an error where the schema allows null, and falls back
where it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta, timezone, tzinfo
from enum import Enum
from functools import lru_cache
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLString,
    Node,
    Undefined,
    is_list_type,
    is_non_null_type,
)
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.schema.types.base_scalars import isoformat
from strawberry.types.scalar import ScalarDefinition

from engine.fallback_reasons import Fallback
from engine.field_failures import Failed

Convert = Callable[[Any], Any]
Complete = Callable[[Any, Sequence[Node]], Any]

WHOLE_MINUTES: set[tzinfo | None] = {None}
"""The time zones met so far whose datetimes the JSON encoder writes as ``isoformat`` does.

It writes UTC as Z and leaves out seconds of an offset, so fixed offsets of whole minutes but zero are in here:
2,878 at most. The encoder takes a twentieth of the time of ``isoformat``."""

_MINUTE = timedelta(minutes=1)


def plain_test(type_: GraphQLLeafType, name: str) -> str | None:
    """Return the Python expression that is true if JSON takes the value in the variable ``name`` as it is."""
    if type_ is GraphQLString or type_ is GraphQLID:
        return f"{name}.__class__ is str"
    if type_ is GraphQLInt:
        return f"{name}.__class__ is int and -2147483648 <= {name} <= 2147483647"
    if type_ is GraphQLBoolean:
        return f"{name}.__class__ is bool"
    if type_ is GraphQLFloat:
        return f"{name}.__class__ is float and {name} - {name} == 0.0"  # neither infinite nor not a number
    if _is_isoformat(type_, datetime):
        return f"{name}.__class__ is datetime and {name}.tzinfo in WHOLE_MINUTES"
    if _is_isoformat(type_, date):
        return f"{name}.__class__ is date"
    return None


PLAIN_NAMES = {"datetime": datetime, "date": date, "WHOLE_MINUTES": WHOLE_MINUTES}
"""The names that the tests refer to."""


# One is made for all fields of a type, because plans are cached, and the garbage collector looks through them.
@lru_cache(maxsize=1000)
def converter(type_: Any) -> Complete:
    """Return a function that converts any value of this type to JSON: a leaf type or lists of one, non-null or not.

    A failure is marked where the schema allows null. The second argument of the function are the nodes of the field.
    """
    nullable = not is_non_null_type(type_)
    inner = type_ if nullable else type_.of_type
    complete = _list(inner.of_type) if is_list_type(inner) else _leaf(inner)

    def convert(value: Any, nodes: Sequence[Node]) -> Any:
        if value is None or value is Undefined:
            if nullable:
                return None
            raise Fallback("null")
        try:
            return complete(value, nodes)
        except Fallback:
            raise
        except Exception as error:
            if nullable:
                return Failed(error, nodes)
            raise Fallback("error") from error

    return convert


def reject_abnormal(value: object) -> None:
    """Raise an error that was given as a value, and fall back for an awaitable, because no type completes these."""
    if isinstance(value, Exception):
        raise value
    if optimized_is_awaitable(value):
        raise Fallback("value")


def _leaf(type_: GraphQLLeafType) -> Complete:
    convert = type_.coerce_output_value
    if isinstance(type_, GraphQLEnumType):
        convert = _enum(type_)
    elif _is_isoformat(type_, datetime):
        convert = _moment

    def complete(value: Any, _nodes: Sequence[Node]) -> Any:
        reject_abnormal(value)
        converted = convert(value)
        if converted is None or converted is Undefined:
            raise Fallback("error")
        return converted

    return complete


def _list(item_type: Any) -> Complete:
    convert = converter(item_type)
    classes = _plain_classes(item_type)
    whole = item_type.of_type if is_non_null_type(item_type) else item_type
    check: Callable[[Sequence[Any]], bool] = _in_32_bits if whole is GraphQLInt else bool

    def complete(value: Any, nodes: Sequence[Node]) -> Any:
        if value.__class__ is not list and value.__class__ is not tuple:
            reject_abnormal(value)
            raise Fallback("value")
        if classes.issuperset(map(type, value)) and (not value or check(value)):
            return value
        return [convert(item, nodes) for item in value]

    return complete


def _plain_classes(item_type: Any) -> frozenset[type]:
    """Return the classes whose instances make up lists that are taken as they are."""
    if not is_non_null_type(item_type):
        return frozenset()
    if item_type.of_type in (GraphQLString, GraphQLID):
        return frozenset([str])
    if item_type.of_type is GraphQLInt:
        return frozenset([int])
    return frozenset([bool]) if item_type.of_type is GraphQLBoolean else frozenset()


def _in_32_bits(values: Sequence[int]) -> bool:
    return min(values) >= -2147483648 and max(values) <= 2147483647


def _enum(type_: GraphQLEnumType) -> Convert:
    """Return the names of an enum's members by lookup, where graphql-core and Strawberry search for them."""
    members = getattr(type_, "wrapped_cls", None)
    if not (isinstance(members, type) and issubclass(members, Enum)):
        return type_.coerce_output_value
    names = {member: type_.coerce_output_value(member) for member in members}

    def convert(value: Any) -> Any:
        if value.__class__ is members:
            return names[value]
        return type_.coerce_output_value(value)

    return convert


def _is_isoformat(type_: GraphQLLeafType, of: type) -> bool:
    definition = (type_.extensions or {}).get("strawberry-definition")
    return isinstance(definition, ScalarDefinition) and (
        definition.serialize is isoformat and definition.origin is of
    )


def _moment(value: Any) -> Any:
    if value.__class__ is datetime and value.tzinfo.__class__ is timezone:
        offset = value.utcoffset()
        if offset and not offset % _MINUTE:
            WHOLE_MINUTES.add(value.tzinfo)
    return isoformat(value)
