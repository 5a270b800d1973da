"""Gets the value of a field as Strawberry would, but for many parents at once.

Strawberry's usual fields read an attribute, or call a function with some of the parent, ``info`` and arguments. The
engine does that directly. A field with anything else (extensions, permissions, handlers of exceptions, a class of its
own) is left to the function that Strawberry made for graphql-core.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from inspect import Parameter, signature
from typing import Any

import msgspec
import strawberry
from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLResolveInfo,
    default_field_resolver,
    get_argument_values,
)
from strawberry.types import Info
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

from engine.field_sources import Attribute, Called, FieldSource, Related
from engine.relation_protocols import RelationToMany, RelationToOne
from engine.run_state import InfoFor, PlanRun
from engine.shared_inputs import SharedInputs
from engine.strawberry_arguments import FieldArguments

_POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


class AskedField(msgspec.Struct, frozen=True, eq=False, gc=False):
    """Describes a field of an operation: its definition, its first node (the others have equal arguments), and its
    ``info``."""

    definition: GraphQLField
    node: FieldNode
    info_for: InfoFor


def source_of(asked: AskedField, schema: strawberry.Schema, shared: SharedInputs) -> FieldSource:
    """Return where the field's values come from."""
    field = (asked.definition.extensions or {}).get("strawberry-definition")
    if not isinstance(field, StrawberryField) or not is_usual(field) or schema.exception_handlers:
        resolve = asked.definition.resolve or default_field_resolver
        return Called(_WithInfo(resolve), True, None, _GraphQLArguments(asked))
    if field.base_resolver is None:
        if schema.config.default_resolver is getattr:
            return Attribute(field.python_name)
        get, name = schema.config.default_resolver, field.python_name
        return Called(lambda parent: get(parent, name), True, None, None)
    resolver = field.base_resolver
    function = resolver.wrapped_func
    assert callable(function)
    owner = getattr(function, "__self__", None)
    if owner is not None and not asked.node.arguments:
        if isinstance(owner, RelationToOne):
            return Related(owner, owner.key, is_to_one=True)
        if isinstance(owner, RelationToMany):
            return Related(owner, owner.keys, is_to_one=False)
    takes_parent, parent_name = _place_of_parent(resolver)
    return Called(function, takes_parent, parent_name, _python_arguments(asked, field, schema, shared))


def is_usual(field: StrawberryField) -> bool:
    """Return whether a field is nothing but its function or its attribute."""
    return (
        not field.extensions
        and type(field).get_result is StrawberryField.get_result
        and type(field).is_basic_field is StrawberryField.is_basic_field
    )


@lru_cache(maxsize=4096)
def _place_of_parent(resolver: StrawberryResolver[Any]) -> tuple[bool, str | None]:
    """Return whether the parent is the function's first positional argument, and else its keyword if it takes it.

    Reading a signature takes as long as the rest of compiling the field.
    """
    function = resolver.wrapped_func
    assert callable(function)
    parent = resolver.parent_parameter or resolver.root_parameter
    first = next(iter(signature(function).parameters.values()), None)
    # A positional argument is faster than a keyword.
    leads = (
        first is not None and parent is not None and first.name == parent.name and first.kind in _POSITIONAL
    )
    return leads or resolver.self_parameter is not None, None if leads or parent is None else parent.name


class _WithInfo(msgspec.Struct, frozen=True, eq=False, gc=False):
    """Calls a function by graphql-core's convention, with info as the second argument and all but the parent named."""

    resolve: Callable[..., Any]

    def __call__(self, parent: Any, *, _info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        return self.resolve(parent, _info, **arguments)

    def __str__(self) -> str:
        return str(getattr(self.resolve, "__qualname__", self.resolve))


class _GraphQLArguments(msgspec.Struct, frozen=True, eq=False, gc=False):
    """Makes the keywords for such a function."""

    asked: AskedField

    def __call__(self, run: PlanRun) -> dict[str, Any]:
        arguments = get_argument_values(self.asked.definition, self.asked.node, run.variables)
        return arguments | {"_info": self.asked.info_for(run)}


class _PythonArguments(msgspec.Struct, frozen=True, eq=False, gc=False):
    """Makes the keywords of the Python function of a field, but for the parent."""

    arguments: FieldArguments
    info_for: InfoFor
    field: StrawberryField
    info_class: type[Info]
    info_name: str | None

    def __call__(self, run: PlanRun) -> dict[str, Any]:
        shown = None
        if self.info_name is not None or self.arguments.needs_info:
            shown = self.info_class(_raw_info=self.info_for(run), _field=self.field)
        keywords = self.arguments.named(run.variables, shown)
        if self.info_name is not None:
            keywords[self.info_name] = shown
        return keywords


def _python_arguments(
    asked: AskedField, field: StrawberryField, schema: strawberry.Schema, shared: SharedInputs
) -> Callable[[PlanRun], dict[str, Any]] | None:
    """Return what makes the keywords of the Python function but for the parent, if there are any."""
    assert field.base_resolver is not None
    parameter = field.base_resolver.info_parameter
    arguments = FieldArguments(asked.definition, asked.node, field.arguments, schema, shared)
    if parameter is None and arguments.are_constant and not arguments.constant:
        return None
    info_name = parameter.name if parameter else None
    return _PythonArguments(arguments, asked.info_for, field, schema.config.info_class, info_name)
