"""Makes the values of an operation's variables for a request, by functions that are compiled once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLSchema,
    Undefined,
    VariableDefinitionNode,
    get_named_type,
    get_variable_values,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource, input_is_nested_too_deeply
from graphql.type import is_non_null_type
from graphql.utilities.coerce_input_value import coerce_input_literal

from engine.input_coercion import Coerce, InputTypes, Unfit, is_unchangeable

NO_VARIABLES = VariableValues({}, {})


@dataclass(frozen=True, slots=True)
class _Variable:
    signature: GraphQLVariableSignature
    not_given: VariableValueSource
    coerce: Coerce
    nests: bool
    """Whether its type can hold values of itself, and so values of any depth."""
    default: Callable[[], Any]
    """Makes the default value. Undefined means that there is none."""


class OperationVariables:
    """Coerces the values that clients give for the variables of one operation (spec, 6.1.2)."""

    def __init__(
        self, schema: GraphQLSchema, definitions: Sequence[VariableDefinitionNode] | None, types: InputTypes
    ) -> None:
        self._schema = schema
        self._definitions = definitions or ()
        self._variables = [_variable(schema, each, types) for each in self._definitions]

    def values(self, given: Mapping[str, Any] | None) -> VariableValues | None:
        """Return the values of the variables; ``None`` if they do not fit."""
        if not self._variables:
            return NO_VARIABLES
        try:
            return self._coerced(given or {})
        except Exception:
            # Only graphql-core knows all that fits, such as 1.0 for an Int.
            values = get_variable_values(self._schema, self._definitions, dict(given or {}), max_errors=1)
            return None if isinstance(values, list) else values

    def _coerced(self, given: Mapping[str, Any]) -> VariableValues:
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        for variable in self._variables:
            name = variable.signature.name
            value = given.get(name, Undefined)
            if value is Undefined:
                sources[name] = variable.not_given
                default = variable.default()
                if default is not Undefined:
                    coerced[name] = default
                continue
            if variable.nests and input_is_nested_too_deeply(value, variable.signature.type):
                raise Unfit
            sources[name] = VariableValueSource(variable.signature, value)
            coerced[name] = variable.coerce(value)
        return VariableValues(sources, coerced)


def _variable(schema: GraphQLSchema, definition: VariableDefinitionNode, types: InputTypes) -> _Variable:
    signature = get_variable_signature(schema, definition)
    assert not isinstance(signature, GraphQLError)
    type_ = signature.type
    return _Variable(
        signature,
        VariableValueSource(signature),
        types.coerce(type_),
        _holds_itself(get_named_type(type_)),
        _default(definition, type_),
    )


def _default(definition: VariableDefinitionNode, type_: GraphQLInputType) -> Callable[[], Any]:
    literal = definition.default_value
    if literal is None:
        return _required if is_non_null_type(type_) else _none
    value = coerce_input_literal(literal, type_)
    if value is Undefined:
        return _required
    # It is made anew for each request if a resolver could change it.
    return (lambda: value) if is_unchangeable(value) else lambda: coerce_input_literal(literal, type_)


def _required() -> Any:
    raise Unfit


def _none() -> Any:
    return Undefined


def _holds_itself(type_: object) -> bool:
    seen: set[object] = set()
    waiting = [type_]
    while waiting:
        each = waiting.pop()
        if isinstance(each, GraphQLInputObjectType):
            inner = [get_named_type(field.type) for field in each.fields.values()]
            if each in seen or type_ in inner:
                return True
            seen.add(each)
            waiting += [one for one in inner if one not in seen]
    return False
