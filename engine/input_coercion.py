"""Converts what clients give for variables into Python values (spec, 6.1.2).

graphql-core inspects the type of each value again for each request. Here each type is compiled to a function once.
These functions convert values that fit. They raise any exception for a value that does not fit. Their caller then asks
graphql-core, which says what is wrong in its own words.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLID,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLString,
    Undefined,
)
from graphql.type import is_required_input_field
from graphql.utilities.coerce_input_value import coerce_default_value

Coerce = Callable[[Any], Any]
"""Converts a value that came as JSON to the value of a type."""

_PLAIN: dict[GraphQLLeafType, type] = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool}
"""The classes whose instances are values of these types as they are."""

_UNCHANGEABLE = (
    type(None),
    bool,
    int,
    float,
    str,
    Enum,
    date,
    datetime,
    time,
    timedelta,
    Decimal,
    UUID,
)


class Unfit(Exception):
    """Says that a value does not fit its type. graphql-core words the error."""


class InputTypes:
    """Makes the functions for the input types of one schema, each once."""

    def __init__(self) -> None:
        self._known: dict[str, Coerce] = {}

    def coerce(self, type_: GraphQLInputType) -> Coerce:
        """Return the function that makes values of this type."""
        name = str(type_)
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = self._made(type_)
        return known

    def _made(self, type_: GraphQLInputType) -> Coerce:
        if isinstance(type_, GraphQLNonNull):
            return _not_null(self.coerce(type_.of_type))
        if isinstance(type_, GraphQLList):
            return _list_of(self.coerce(type_.of_type))
        if isinstance(type_, GraphQLInputObjectType):
            return _InputObject(type_, self)
        return _leaf(type_)


def is_unchangeable(value: object) -> bool:
    """Return whether requests can share a value, because nobody can change it."""
    return isinstance(value, _UNCHANGEABLE)


def _leaf(type_: GraphQLLeafType) -> Coerce:
    coerce = type_.coerce_input_value
    if isinstance(type_, GraphQLEnumType):
        by_name = {name: coerce(name) for name in type_.values}
        return lambda value: None if value is None else by_name[value]

    def other(value: Any) -> Any:
        if value is None:
            return None
        coerced = coerce(value)
        if coerced is Undefined:
            raise Unfit
        return coerced

    if type_ is GraphQLInt:
        return lambda value: (
            value if value.__class__ is int and -2147483648 <= value <= 2147483647 else other(value)
        )
    plain = _PLAIN.get(type_)
    if plain is None:
        return other
    return lambda value: value if value.__class__ is plain else other(value)


def _not_null(coerce: Coerce) -> Coerce:
    def coerced(value: Any) -> Any:
        if value is None:
            raise Unfit
        return coerce(value)

    return coerced


def _list_of(coerce: Coerce) -> Coerce:
    def coerced(value: Any) -> Any:
        if value.__class__ is list:
            return [coerce(item) for item in value]
        if value is None:
            return None
        if isinstance(value, str | int | float | dict):
            return [coerce(value)]
        raise Unfit  # JSON has no other values

    return coerced


class _InputObject:
    """Makes values of an input object type. Its fields are looked at when the first value comes, because types nest."""

    def __init__(self, type_: GraphQLInputObjectType, types: InputTypes) -> None:
        self._type = type_
        self._types = types
        self._fields: list[tuple[str, str, Coerce, Any, bool]] | None = None

    def __call__(self, value: Any) -> Any:
        """Return the value of the type for a JSON object."""
        if value is None:
            return None
        if value.__class__ is not dict or not value.keys() <= self._type.fields.keys():
            raise Unfit
        coerced: dict[str, Any] = {}
        for name, out_name, coerce, default, is_required in self._fields or self._look_up_fields():
            if name in value:
                coerced[out_name] = coerce(value[name])
            elif is_required:
                raise Unfit
            elif default is not Undefined:
                coerced[out_name] = default
        return completed(self._type, coerced, len(value))

    def _look_up_fields(self) -> list[tuple[str, str, Coerce, Any, bool]]:
        self._fields = [
            (name, field.out_name or name, self._types.coerce(field.type), *default_of(field))
            for name, field in self._type.fields.items()
        ]
        return self._fields


def default_of(field: GraphQLInputField) -> tuple[Any, bool]:
    """Return the default of a field, and whether the field has to be given."""
    is_required = is_required_input_field(field)
    return (Undefined if is_required else coerce_default_value(field)), is_required


def completed(type_: GraphQLInputObjectType, coerced: dict[str, Any], given: int) -> Any:
    """Return the value of an input object with these fields, of which ``given`` were given."""
    if type_.is_one_of:
        (value,) = coerced.values()
        if given != 1 or value is None:
            raise Unfit
    return type_.out_type(coerced)
