"""Builds filters from the values that clients give, in place of Strawberry.

Strawberry looks up the type of every field that a filter can have, for each nested filter. That takes 0.2 ms each,
and again for every record whose list is filtered. Here a value is read once in a request, or once for all requests if
the engine shares it (``engine.SharedInput``), and counted in each.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from strawberry.types.base import StrawberryContainer, StrawberryObjectDefinition

from engine import SharedInput
from resolvers.client_errors import BadUserInput
from resolvers.filters.filter_inputs import DateTimeRange, GridFilter, IntRange, PackageFilter
from resolvers.filters.filter_matching import MAX_CONDITIONS, too_many_conditions
from resolvers.filters.filter_reading import FilterReading
from resolvers.work_budget import CONDITION

if TYPE_CHECKING:
    from strawberry.types.arguments import InputContext

    from resolvers.loading.request_context import Context

_Fields = dict[str, tuple[str, type | None]]
"""The name of each field in Python, and the type of its inputs if it has any, by its name in GraphQL."""

_FIELDS: dict[type, _Fields] = {}


_INPUTS: tuple[type, ...] = (PackageFilter, GridFilter, IntRange, DateTimeRange)


def build_input(type_: type, value: Mapping[str, Any], given: InputContext) -> Any:
    """Return the input of this type with these values by their names in GraphQL.

    :raises BadUserInput: the filter has too many conditions.
    :raises Stopped: the filter takes too much work.
    """
    assert given.info is not None
    context: Context = given.info.context
    if not _FIELDS:
        _FIELDS.update((each, _fields(each, given)) for each in _INPUTS)
    info, argument = given.info, given.path[0]
    context.work.spend(CONDITION)

    def build() -> Any:
        if isinstance(value, SharedInput) and value.made is not None:
            return value.made
        name = f"{info.field_name}({argument}:)"
        built = _Builder(name).build(type_, value)
        if isinstance(value, SharedInput):
            value.made = built
            # Where the filter is used its conditions are found to be too many, after other errors of its field.
            with suppress(BadUserInput):
                built.reading = FilterReading(built, name)
        return built

    if isinstance(value, SharedInput) and not value.is_of_variable:
        # A filter in a text counts as often as its arguments are made, so each is another object.
        return _copied(build())
    return context.filters.built(value, build)


def _copied(built: Any) -> Any:
    """Return a copy of a filter. The library's function takes ten times as long, because it copies any object."""
    copied = object.__new__(built.__class__)
    copied.__dict__.update(built.__dict__)
    return copied


class _Builder:
    """Builds one argument, if it does not have too many conditions."""

    def __init__(self, argument: str) -> None:
        self._argument = argument
        self._inputs = 0

    def build(self, type_: type, value: Mapping[str, Any]) -> Any:
        self._inputs += 1
        # A filter has at most one range for each condition.
        if self._inputs > 2 * MAX_CONDITIONS:
            raise too_many_conditions(self._argument)
        fields = _FIELDS[type_]
        values: dict[str, Any] = {}
        for key, each in value.items():
            name, inner = fields[key]
            if inner is None or each is None:
                values[name] = each
            elif isinstance(each, list):
                values[name] = [self.build(inner, one) for one in each]
            else:
                values[name] = self.build(inner, each)
        return type_(**values)


def _fields(type_: type, given: InputContext) -> _Fields:
    definition = _definition(type_)
    names: _Fields = {}
    for field in definition.fields:
        inner: Any = field.resolve_type(type_definition=definition)
        while isinstance(inner, StrawberryContainer):
            inner = inner.of_type
        is_input = isinstance(getattr(inner, "__strawberry_definition__", None), StrawberryObjectDefinition)
        names[given.config.name_converter.from_field(field)] = (
            field.python_name,
            inner if is_input else None,
        )
    return names


def _definition(type_: type) -> StrawberryObjectDefinition:
    definition: StrawberryObjectDefinition = cast(Any, type_).__strawberry_definition__
    return definition


for _type in _INPUTS:
    # Strawberry has this hook for inputs that build their own value.
    _definition(_type).from_input = build_input
