"""Converts what clients give into Python values: variables (spec, 6.1.2), arguments and literals (spec, 6.4.1).

graphql-core inspects the type of each value again for each request. Here each type, and each value in a document, is
compiled to a function once. These functions convert values that fit. They raise any exception for a value that does not
fit. Their caller then asks graphql-core, which says what is wrong in its own words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from graphql import (
    GraphQLArgument,
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
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
)
from graphql.type import is_required_argument, is_required_input_field
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_literal

Coerce = Callable[[Any], Any]
"""Converts a value that came as JSON to the value of a type."""

Make = Callable[[Mapping[str, Any]], Any]
"""Makes a value in a document from the values of the variables. Undefined means that there is none."""

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


class Uncompiled(Exception):
    """Says that there is no function for a value, so that graphql-core makes it for each request."""


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


@dataclass(frozen=True, slots=True)
class Constant:
    """Gives, as a :data:`Make`, a value that is the same in every request and that nobody can change."""

    value: Any

    def __call__(self, _variables: Mapping[str, Any]) -> Any:
        """Return it."""
        return self.value


def make_argument(argument: GraphQLArgument, node: ValueNode | None) -> Make:
    """Return what makes the value of an argument. ``node`` is what stands in the document, if anything does.

    :raises Uncompiled: only graphql-core can make it.
    """
    if node is None:
        return _fails if is_required_argument(argument) else Constant(coerce_default_value(argument))
    if not isinstance(node, VariableNode):
        return _make(node, argument.type)
    if is_required_argument(argument):
        return _variable(node, argument.type)
    return _variable(node, argument.type, default=coerce_default_value(argument))


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
        return _completed(self._type, coerced, len(value))

    def _look_up_fields(self) -> list[tuple[str, str, Coerce, Any, bool]]:
        self._fields = [
            (name, field.out_name or name, self._types.coerce(field.type), *_default(field))
            for name, field in self._type.fields.items()
        ]
        return self._fields


def _default(field: GraphQLInputField) -> tuple[Any, bool]:
    """Return the default of a field, and whether the field has to be given."""
    is_required = is_required_input_field(field)
    return (Undefined if is_required else coerce_default_value(field)), is_required


def _completed(type_: GraphQLInputObjectType, coerced: dict[str, Any], given: int) -> Any:
    if type_.is_one_of:
        (value,) = coerced.values()
        if given != 1 or value is None:
            raise Unfit
    return type_.out_type(coerced)


def _fails(_variables: Mapping[str, Any]) -> Any:
    raise Unfit


def _make(node: ValueNode, type_: GraphQLInputType) -> Make:
    """Return what makes the value of a literal, or of a variable in one, which has no value if it was not given."""
    if isinstance(node, VariableNode):
        return _variable(node, type_, default=Undefined)
    if isinstance(type_, GraphQLNonNull):
        return _fails if isinstance(node, NullValueNode) else _make(node, type_.of_type)
    if isinstance(node, NullValueNode):
        return Constant(None)
    if isinstance(type_, GraphQLList):
        if not isinstance(node, ListValueNode):
            return _make_list([_make(node, type_.of_type)], type_)
        return _make_list([_make(item, type_.of_type) for item in node.values], type_)
    if isinstance(type_, GraphQLInputObjectType):
        return _make_object(node, type_) if isinstance(node, ObjectValueNode) else _fails
    if isinstance(node, ListValueNode | ObjectValueNode):
        raise Uncompiled  # a scalar that takes them, perhaps with variables inside
    value = coerce_input_literal(node, type_)
    if value is Undefined:
        return _fails
    return Constant(value) if is_unchangeable(value) else lambda _variables: coerce_input_literal(node, type_)


def _variable(node: VariableNode, type_: GraphQLInputType, **given: Any) -> Make:
    """Return what makes the value of a variable, or ``default``, without which a value is required."""
    name, is_not_null = node.name.value, isinstance(type_, GraphQLNonNull)
    is_required, default = not given, given.get("default")

    def make(variables: Mapping[str, Any]) -> Any:
        if name not in variables:
            if is_required:
                raise Unfit
            return default
        value = variables[name]
        if value is None and is_not_null:
            raise Unfit
        return value

    return make


def _make_list(items: list[Make], type_: GraphQLList[Any]) -> Make:
    takes_null = not isinstance(type_.of_type, GraphQLNonNull)

    def make(variables: Mapping[str, Any]) -> list[Any]:
        values = [item(variables) for item in items]
        for place, value in enumerate(values):
            if value is Undefined:
                if not takes_null:
                    raise Unfit
                values[place] = None
        return values

    return make


def _make_object(node: ObjectValueNode, type_: GraphQLInputObjectType) -> Make:
    given = {field.name.value: field.value for field in node.fields}
    if not given.keys() <= type_.fields.keys():
        return _fails
    fields = [
        (field.out_name or name, _make(given[name], field.type) if name in given else None, *_default(field))
        for name, field in type_.fields.items()
    ]

    def make(variables: Mapping[str, Any]) -> Any:
        coerced: dict[str, Any] = {}
        for out_name, value_of, default, is_required in fields:
            value = Undefined if value_of is None else value_of(variables)
            if value is not Undefined:
                coerced[out_name] = value
            elif is_required:
                raise Unfit
            elif default is not Undefined:
                coerced[out_name] = default
        return _completed(type_, coerced, len(given))

    return make
