"""Makes the values of arguments in a document (spec, 6.4.1).

graphql-core reads them in the document again for each request. Here each is compiled once. What is made of them is
cached with the plans, so the garbage collector does not look at it (``gc=False``): nothing in it leads back to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from graphql import (
    GraphQLArgument,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
)
from graphql.type import is_required_argument
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_literal

from engine.input_coercion import Unfit, completed, default_of, is_unchangeable

Make = Callable[[Mapping[str, Any]], Any]
"""Makes a value in a document from the values of the variables. Undefined means that there is none."""


class Uncompiled(Exception):
    """Says that there is no function for a value, so that graphql-core makes it for each request."""


class Constant(msgspec.Struct, frozen=True, eq=False, gc=False):
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
        items = node.values if isinstance(node, ListValueNode) else (node,)
        takes_null = not isinstance(type_.of_type, GraphQLNonNull)
        return _List(tuple([_make(item, type_.of_type) for item in items]), takes_null)
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
    default = given.get("default")
    return _FromVariable(node.name.value, isinstance(type_, GraphQLNonNull), not given, default)


class _FromVariable(msgspec.Struct, frozen=True, eq=False, gc=False):
    name: str
    is_not_null: bool
    is_required: bool
    default: Any

    def __call__(self, variables: Mapping[str, Any]) -> Any:
        if self.name not in variables:
            if self.is_required:
                raise Unfit
            return self.default
        value = variables[self.name]
        if value is None and self.is_not_null:
            raise Unfit
        return value


class _List(msgspec.Struct, frozen=True, eq=False, gc=False):
    items: tuple[Make, ...]
    takes_null: bool

    def __call__(self, variables: Mapping[str, Any]) -> list[Any]:
        values = [item(variables) for item in self.items]
        for place, value in enumerate(values):
            if value is Undefined:
                if not self.takes_null:
                    raise Unfit
                values[place] = None
        return values


def _make_object(node: ObjectValueNode, type_: GraphQLInputObjectType) -> Make:
    given = {field.name.value: field.value for field in node.fields}
    if not given.keys() <= type_.fields.keys():
        return _fails
    fields = [
        (
            field.out_name or name,
            _make(given[name], field.type) if name in given else None,
            *default_of(field),
        )
        for name, field in type_.fields.items()
    ]
    return _Object(type_, tuple(fields), len(given))


class _Object(msgspec.Struct, frozen=True, eq=False, gc=False):
    type: GraphQLInputObjectType
    fields: tuple[tuple[str, Make | None, Any, bool], ...]
    """For each its name in Python, its value if there is one, its default, and whether it is required."""
    given: int

    def __call__(self, variables: Mapping[str, Any]) -> Any:
        coerced: dict[str, Any] = {}
        for out_name, value_of, default, is_required in self.fields:
            value = Undefined if value_of is None else value_of(variables)
            if value is not Undefined:
                coerced[out_name] = value
            elif is_required:
                raise Unfit
            elif default is not Undefined:
                coerced[out_name] = default
        return completed(self.type, coerced, self.given)
