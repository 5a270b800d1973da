"""Finds which object type a value has (spec, 6.4.3, ResolveAbstractType), and whether it is a value of that type at
all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphql import (
    GraphQLNamedOutputType,
    GraphQLObjectType,
    GraphQLSchema,
    default_type_resolver,
    is_abstract_type,
    is_object_type,
)
from strawberry.types import has_object_definition
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.union import StrawberryUnion

from engine.fallback_reasons import Fallback
from engine.leaf_values import reject_abnormal

MAX_CLASSES = 10_000
"""The most classes that are remembered. A schema has hundreds; further ones are decided object by object."""


class RuntimeTypes:
    """Decides the types of values for all plans of one schema, and remembers which classes tell their type."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._of_class: dict[tuple[GraphQLNamedOutputType, type], GraphQLObjectType] = {}

    def of_class(self, declared: GraphQLNamedOutputType, class_: type) -> GraphQLObjectType | None:
        """Return the type of all objects of a class in fields of a declared type, if they are known to have the same
        type."""
        return self._of_class.get((declared, class_))

    def possible(self, declared: GraphQLNamedOutputType) -> Sequence[GraphQLObjectType]:
        """Return the types that a value can have in a field of a declared type."""
        if is_abstract_type(declared):
            return self._schema.get_possible_types(declared)
        assert isinstance(declared, GraphQLObjectType)
        return [declared]

    def split(
        self, declared: GraphQLNamedOutputType, values: list[Any], info: Any
    ) -> list[tuple[GraphQLObjectType, list[Any]]]:
        """Return the values by their types. ``info`` is what Strawberry's functions want to know."""
        by_name: dict[str, tuple[GraphQLObjectType, list[Any]]] = {}
        for value in values:
            type_ = self.of_class(declared, value.__class__) or self._decide(declared, value, info)
            by_name.setdefault(type_.name, (type_, []))[1].append(value)
        return list(by_name.values())

    def _decide(self, declared: GraphQLNamedOutputType, value: Any, info: Any) -> GraphQLObjectType:
        reject_abnormal(value)
        type_ = declared
        if is_abstract_type(type_):
            name = (type_.resolve_type or default_type_resolver)(value, info, type_)
            reject_abnormal(name)
            found = self._schema.get_type(name) if isinstance(name, str) else None
            if found is None or not is_object_type(found) or not self._schema.is_sub_type(type_, found):
                raise Fallback("error")
            type_ = found
        assert isinstance(type_, GraphQLObjectType)
        if type_.is_type_of is not None:
            is_one = type_.is_type_of(value, info)
            reject_abnormal(is_one)
            if not is_one:
                raise Fallback("error")
        if len(self._of_class) < MAX_CLASSES and self._tells(declared, value.__class__, type_):
            self._of_class[declared, value.__class__] = type_
        return type_

    def _tells(self, declared: GraphQLNamedOutputType, class_: type, type_: GraphQLObjectType) -> bool:
        """Return whether every object of this class has this type.

        Strawberry can cast an object with a ``__dict__`` to a type, so such a class tells its type only where the
        declared type is that type and has no test.
        """
        if type_ is declared and type_.is_type_of is None:
            return True
        if class_.__dictoffset__ != 0 or has_object_definition(class_):
            return False
        return _has_usual_resolve_type(declared) and all(
            getattr(each.is_type_of, "decided_by_class", False) for each in self.possible(declared)
        )


def _has_usual_resolve_type(declared: GraphQLNamedOutputType) -> bool:
    """Return whether Strawberry's own function, which asks for the class and ``is_type_of``, decides."""
    definition = (declared.extensions or {}).get("strawberry-definition")
    if isinstance(definition, StrawberryObjectDefinition):
        return definition.resolve_type is None
    return type(definition) is StrawberryUnion
