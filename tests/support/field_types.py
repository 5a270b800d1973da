"""Compares what a resolver is annotated to return with the type that its field has in the schema.

Fields over records name entity types, so mypy cannot compare the two: here a record's class stands for the entity type
that is resolved from it. Beside that they have to be the same, but for nulls: a field may be nullable where its
resolver gives a value, because an error becomes null.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from datetime import datetime
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from graphql import (
    GraphQLAbstractType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    is_abstract_type,
    is_leaf_type,
)
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField
from strawberry.types.lazy_type import LazyType
from strawberry.types.union import StrawberryUnion

SCALARS = {int: "Int", str: "String", float: "Float", bool: "Boolean", datetime: "DateTime"}


class FieldTypes:
    """Compares the fields of one schema. ``entities`` are the classes of records by the names of their types."""

    def __init__(self, schema: GraphQLSchema, entities: Mapping[str, type]) -> None:
        self._schema = schema
        self._entities = entities

    def returned(self, field: StrawberryField, owner: str) -> Any:
        """Return the annotation of what the field's resolver returns, or of the attribute that it reads."""
        if field.base_resolver is None:
            record = self._entities[owner]
            attribute = getattr(record, field.python_name, None)
            if isinstance(attribute, property):
                return get_type_hints(attribute.fget)["return"]
            return get_type_hints(record)[field.python_name]
        function: Any = field.base_resolver.wrapped_func
        relation = getattr(function, "__self__", None)
        annotation = get_type_hints(function)["return"]
        record_class = getattr(relation, "record_class", None)
        return annotation if record_class is None else _replaced(annotation, record_class)

    def fits(self, annotation: Any, type_: GraphQLOutputType) -> bool:
        """Tell whether a field of this type can be resolved with values of this annotation."""
        if get_origin(annotation) in (AsyncIterator, AsyncGenerator):
            annotation = get_args(annotation)[0]
        members = _members(annotation)
        values = [each for each in members if each is not NoneType and not _is_error(each)]
        if not isinstance(type_, GraphQLNonNull):
            return self._all_fit(values, type_)
        return values == members and self._all_fit(values, type_.of_type)

    def _all_fit(self, values: Sequence[Any], type_: GraphQLOutputType) -> bool:
        return bool(values) and all(self._one_fits(value, type_) for value in values)

    def _one_fits(self, value: Any, type_: GraphQLOutputType) -> bool:
        if isinstance(type_, GraphQLList):
            items = get_args(value)
            return get_origin(value) in (list, tuple, Sequence) and self.fits(items[0], type_.of_type)
        assert isinstance(type_, GraphQLNamedType)
        if is_leaf_type(type_):
            return _leaf_name(value) == type_.name
        if is_abstract_type(type_):
            assert isinstance(type_, GraphQLAbstractType)
            possible = {each.name for each in self._schema.get_possible_types(type_)}
            return any(value is self._entities.get(name) for name in possible)
        assert isinstance(type_, GraphQLObjectType)
        if value is self._entities.get(type_.name):
            return True
        definition: StrawberryObjectDefinition = type_.extensions["strawberry-definition"]
        return self._is_value_type(value, definition)

    def _is_value_type(self, value: Any, definition: StrawberryObjectDefinition) -> bool:
        """Tell whether it is the class of a value type, with records in place of the entity types that it holds."""
        generic = definition.concrete_of
        if generic is None:
            return value is definition.origin
        parameters = getattr(generic.origin, "__parameters__", ())
        return get_origin(value) is generic.origin and all(
            self._holds(argument, definition.type_var_map[parameter.__name__])
            for argument, parameter in zip(get_args(value), parameters, strict=True)
        )

    def _holds(self, argument: Any, held: Any) -> bool:
        if isinstance(held, LazyType):
            held = held.resolve_type()
        union = held.graphql_name if isinstance(held, StrawberryUnion) else None
        type_: Any = self._schema.type_map[union or held.__strawberry_definition__.name]
        possible = self._schema.get_possible_types(type_) if is_abstract_type(type_) else [type_]
        names = {each.name for each in possible}
        records = [each for each in _members(argument) if not _is_error(each)]
        return bool(records) and all(
            any(record is self._entities.get(name) for name in names) for record in records
        )


def _members(annotation: Any) -> list[Any]:
    return list(get_args(annotation)) if get_origin(annotation) in (Union, UnionType) else [annotation]


def _is_error(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseException)


def _leaf_name(annotation: Any) -> str | None:
    definition = getattr(annotation, "__strawberry_definition__", None)
    if get_origin(annotation) is Literal:
        (annotation,) = {type(each) for each in get_args(annotation)}
    name: str | None = SCALARS.get(annotation) or getattr(definition, "name", None)
    return name


def _replaced(annotation: Any, record_class: type) -> Any:
    """Return the annotation with this class in place of its type variable."""
    if isinstance(annotation, TypeVar):
        return record_class
    if getattr(annotation, "__parameters__", ()):
        return annotation[record_class]
    return annotation
