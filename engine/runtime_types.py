"""Which object type a value has (spec, 6.4.3, ResolveAbstractType), and whether a value is one of its type at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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

from engine.fallback import Fallback
from engine.leaf_values import reject_abnormal
from engine.plan_run import PlanRun


class RuntimeTypes:
    """Decides for the values of one field. ``info_for`` makes what Strawberry's functions want to know."""

    def __init__(
        self, schema: GraphQLSchema, declared: GraphQLNamedOutputType, info_for: Callable[[PlanRun], Any]
    ) -> None:
        self.declared = declared
        self._schema = schema
        self._info_for = info_for
        self.of_class: dict[type, GraphQLObjectType] = {}
        """The types of the classes met so far whose objects all have the same."""
        self._by_class = _has_usual_resolve_type(declared) and all(
            getattr(type_.is_type_of, "decided_by_class", False) for type_ in self.possible()
        )

    def possible(self) -> Sequence[GraphQLObjectType]:
        """The types that a value can have."""
        if is_abstract_type(self.declared):
            return self._schema.get_possible_types(self.declared)
        assert isinstance(self.declared, GraphQLObjectType)
        return [self.declared]

    def split(self, values: list[Any], run: PlanRun) -> list[tuple[GraphQLObjectType, list[Any]]]:
        """The values by their types."""
        info = self._info_for(run)
        by_name: dict[str, tuple[GraphQLObjectType, list[Any]]] = {}
        for value in values:
            type_ = self.of_class.get(value.__class__) or self._decide(value, info)
            by_name.setdefault(type_.name, (type_, []))[1].append(value)
        return list(by_name.values())

    def _decide(self, value: Any, info: Any) -> GraphQLObjectType:
        reject_abnormal(value)
        type_ = self.declared
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
        if self._tells(value.__class__, type_):
            self.of_class[value.__class__] = type_
        return type_

    def _tells(self, class_: type, type_: GraphQLObjectType) -> bool:
        """Whether every object of this class has this type.

        An object with a ``__dict__`` could be cast to a type by Strawberry, so only a type that asks nothing is
        sure of it.
        """
        if type_ is self.declared and type_.is_type_of is None:
            return True
        return self._by_class and class_.__dictoffset__ == 0 and not has_object_definition(class_)


def _has_usual_resolve_type(declared: GraphQLNamedOutputType) -> bool:
    """Whether Strawberry's own function, which asks for the class and ``is_type_of``, decides."""
    definition = (declared.extensions or {}).get("strawberry-definition")
    if isinstance(definition, StrawberryObjectDefinition):
        return definition.resolve_type is None
    return type(definition) is StrawberryUnion
