"""Makes the arguments of a field as Strawberry gives them to a resolver, by functions that are compiled once.

Strawberry looks up the name and the type of each argument, and of each field of an input, for each request. Types that
this file does not know are left to Strawberry's function. Inputs that build their own value get an equal value as the
same object in each request (``engine.shared_inputs``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
import strawberry
from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLField,
    Undefined,
    ValueNode,
    VariableNode,
    get_argument_values,
)
from graphql.execution.values import VariableValues
from strawberry.relay import GlobalID
from strawberry.scalars import is_scalar
from strawberry.types.arguments import InputContext, StrawberryArgument, convert_argument, convert_arguments
from strawberry.types.base import (
    StrawberryList,
    StrawberryMaybe,
    StrawberryObjectDefinition,
    StrawberryOptional,
    has_object_definition,
)
from strawberry.types.enum import StrawberryEnumDefinition, has_enum_definition
from strawberry.types.lazy_type import LazyType
from strawberry.types.unset import UNSET

from engine.argument_making import Constant, Make, Uncompiled, make_argument
from engine.shared_inputs import SharedInputs

Named = Callable[[VariableValues, Any], dict[str, Any]]
"""Makes the keywords of a Python function from the values of the variables and Strawberry's ``Info``."""

_Convert = Callable[[Any], Any]


class _LeftToStrawberry(Exception):
    """Says that only Strawberry itself converts a type."""


class _Made(msgspec.Struct, frozen=True, eq=False, gc=False):
    """Makes one argument that is not constant."""

    name: str
    make: Make
    convert: Callable[[Any, Any], Any]


class FieldArguments:
    """Makes the arguments of one field of an operation.

    ``constant`` has those that are the same in every request, by their names in Python.
    """

    def __init__(
        self,
        definition: GraphQLField,
        node: FieldNode,
        arguments: list[StrawberryArgument],
        schema: strawberry.Schema,
        shared: SharedInputs,
    ) -> None:
        self._definition, self._node = definition, node
        self._arguments, self._schema, self._shared = arguments, schema, shared
        self.constant: dict[str, Any] = {}
        self._made: tuple[_Made, ...] | None = ()
        self.needs_info = False
        """Whether Strawberry converts one of them, for which it needs ``info``."""
        try:
            self._compile()
        except Uncompiled:
            self._made, self.needs_info = None, True
            self.constant.clear()

    @property
    def are_constant(self) -> bool:
        """Return whether all of them are the same in every request."""
        return self._made is not None and not self._made

    def named(self, variables: VariableValues, info: Any) -> dict[str, Any]:
        """Return the keywords of the Python function.

        :raises GraphQLError: a value does not fit.
        """
        if self._made is None:
            return self._by_strawberry(variables, info)
        try:
            values = [made.make(variables.coerced) for made in self._made]
        except Exception:
            return self._by_strawberry(variables, info)  # which says what does not fit
        named = self.constant.copy()
        for made, value in zip(self._made, values, strict=True):
            if value is not Undefined:
                named[made.name] = made.convert(value, info)
        return named

    def _by_strawberry(self, variables: VariableValues, info: Any) -> dict[str, Any]:
        return convert_arguments(
            get_argument_values(self._definition, self._node, variables),
            self._arguments,
            scalar_registry=self._schema.schema_converter.scalar_registry,
            config=self._schema.config,
            info=info,
        )

    def _compile(self) -> None:
        assert self._made is not None
        given = {argument.name.value: argument.value for argument in self._node.arguments or ()}
        left = dict(self._definition.args)
        for argument in self._arguments:
            known = _known_argument(argument, self._schema)
            definition, node = left.pop(known.name, None), given.get(known.name)
            if definition is None or definition.out_name not in (None, known.name):
                raise Uncompiled
            make = make_argument(definition, node)
            if isinstance(make, Constant) and make.value is Undefined:
                continue
            if isinstance(make, Constant) and make.value is None and not known.may_be_left_out:
                self.constant[argument.python_name] = None
                continue
            self.needs_info |= known.needs_info
            if known.builds_itself and node is not None:
                make = self._shared.sharing(node, make, _place(node, definition))
            if isinstance(make, Constant) and known.convert is _as_it_is:
                self.constant[argument.python_name] = make.value
            else:
                self._made += (_Made(argument.python_name, make, known.convert),)
        if left:
            raise Uncompiled


class _KnownArgument(NamedTuple):
    """Describes what an argument of the schema is in every operation."""

    name: str
    convert: Callable[[Any, Any], Any]
    may_be_left_out: bool
    builds_itself: bool
    needs_info: bool


@lru_cache(maxsize=4096)
def _known_argument(argument: StrawberryArgument, schema: strawberry.Schema) -> _KnownArgument:
    name, type_ = schema.config.name_converter.from_argument(argument), argument.type
    built = _builds_itself(type_)
    needs_info = built is not None
    if built is not None:
        convert = _by_itself(built, name, schema)
    else:
        try:
            inner = _converter(type_, schema, {})
            convert = _as_it_is if inner is None else _without_info(inner)
        except _LeftToStrawberry:
            convert, needs_info = _by_strawberry(type_, name, schema), True
    return _KnownArgument(name, convert, _may_be_left_out(type_), built is not None, needs_info)


def _by_itself(type_: Any, name: str, schema: strawberry.Schema) -> Callable[[Any, Any], Any]:
    build = type_.__strawberry_definition__.from_input
    registry, config = schema.schema_converter.scalar_registry, schema.config

    def convert(value: Any, info: Any) -> Any:
        if value is None or value is UNSET:
            return value
        return build(type_, value, InputContext(info, config, registry, (name,)))

    return convert


def _by_strawberry(type_: Any, name: str, schema: strawberry.Schema) -> Callable[[Any, Any], Any]:
    registry, config = schema.schema_converter.scalar_registry, schema.config
    return lambda value, info: convert_argument(value, type_, registry, config, info, path=(name,))


def _without_info(convert: _Convert) -> Callable[[Any, Any], Any]:
    return lambda value, _info: convert(value)


def _may_be_left_out(type_: Any) -> bool:
    """Return whether Strawberry distinguishes null from no value. Every other type takes null as it is."""
    while isinstance(type_, StrawberryOptional) and not isinstance(type_, StrawberryMaybe):
        type_ = type_.of_type
    return isinstance(type_, StrawberryMaybe)


def _builds_itself(type_: Any) -> Any:
    """Return the class of an input that builds its own value; ``None`` for every other type."""
    while isinstance(type_, StrawberryOptional | LazyType) and not isinstance(type_, StrawberryMaybe):
        type_ = type_.of_type if isinstance(type_, StrawberryOptional) else type_.resolve_type()
    if not has_object_definition(type_) or type_.__strawberry_definition__.from_input is None:
        return None
    return type_


def _place(node: ValueNode, argument: GraphQLArgument) -> object:
    """Return what identifies a value in a document: a variable by its name and its type, everything else by itself."""
    return (node.name.value, str(argument.type)) if isinstance(node, VariableNode) else object()


def _as_it_is(value: Any, _info: Any) -> Any:
    return value


def _converter(type_: Any, schema: strawberry.Schema, inputs: dict[Any, _Convert]) -> _Convert | None:
    """Return what makes the Python value of a value of this type; ``None`` if it is that value itself.

    ``inputs`` has those of the input types around this one.

    :raises _LeftToStrawberry: only Strawberry itself makes it.
    """
    while isinstance(type_, StrawberryOptional | LazyType) and not isinstance(type_, StrawberryMaybe):
        type_ = type_.of_type if isinstance(type_, StrawberryOptional) else type_.resolve_type()
    if type_ is GlobalID or isinstance(type_, StrawberryMaybe):
        raise _LeftToStrawberry
    if isinstance(type_, StrawberryList):
        item = _converter(type_.of_type, schema, inputs)
        return _list if item is None else _list_of(item)
    if isinstance(type_, StrawberryEnumDefinition) or has_enum_definition(type_):
        return None
    if is_scalar(type_, schema.schema_converter.scalar_registry):
        return None
    if not has_object_definition(type_):
        raise _LeftToStrawberry
    definition: StrawberryObjectDefinition = type_.__strawberry_definition__
    if definition.from_input is not None or not definition.is_input:
        raise _LeftToStrawberry
    return inputs.get(type_) or _input_of(type_, definition, schema, inputs)


def _input_of(
    type_: Any, definition: StrawberryObjectDefinition, schema: strawberry.Schema, inputs: dict[Any, _Convert]
) -> _Convert:
    fields: list[tuple[str, str, _Convert | None]] = []

    def convert(value: Any) -> Any:
        if value is None or value is UNSET:
            return value
        named = dict.fromkeys(optional)
        for name, python_name, inner in fields:
            if name in value:
                given = value[name]
                named[python_name] = given if inner is None else inner(given)
        return type_(**named)

    # This comes before its fields are looked at, because they may be of the same type.
    inputs = {**inputs, type_: convert}
    for field in definition.fields:
        inner = _converter(field.resolve_type(type_definition=definition), schema, inputs)
        fields.append((schema.config.name_converter.from_field(field), field.python_name, inner))
    optional = [
        field.python_name
        for field in definition.fields
        if field.default_value is MISSING and field.default_factory is MISSING
    ]
    return convert


def _list(value: Any) -> Any:
    return value if value is None or value is UNSET else list(value)


def _list_of(convert: _Convert) -> _Convert:
    def converted(value: Any) -> Any:
        return value if value is None or value is UNSET else [convert(item) for item in value]

    return converted
