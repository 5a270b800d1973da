"""Decides which fields are cacheable: they say the same of an object in every request until the catalog changes."""

from __future__ import annotations

from graphql import print_ast
from strawberry.types.field import StrawberryField

from engine.field_dependencies import DependsOn, is_of_strawberry, of_field
from engine.field_sources import Attribute, Called, FieldSource, Related
from engine.selection_signatures import Arguments
from engine.shared_inputs import variables_in
from engine.strawberry_fields import AskedField, is_usual

_OTHERS = ~DependsOn.CATALOG
_ELSEWHERE = ~(DependsOn.CATALOG | DependsOn.UPSTREAM)
"""The dependencies that make a field uncacheable. A relation may have to ask upstream; if it did not, the catalog alone
decided."""


def cacheable_arguments(asked: AskedField, source: FieldSource) -> Arguments | None:
    """Return the arguments of a field that is cacheable, or ``None`` if it is not.

    A field is cacheable if its declared dependencies (``engine.field_dependencies``) allow it, and if its function
    gets nothing of the request.
    """
    arguments = asked.node.arguments or ()
    depends_on = of_field(asked.definition)
    if any(variables_in(argument.value) for argument in arguments):
        return None
    if isinstance(source, Attribute):
        cacheable = not depends_on & _OTHERS
    elif isinstance(source, Related):
        cacheable = not depends_on & _ELSEWHERE
    else:
        cacheable = isinstance(source, Called) and not depends_on & _OTHERS and _is_told_nothing(asked)
    if not cacheable:
        return None
    return tuple(sorted((argument.name.value, print_ast(argument.value)) for argument in arguments))


def _is_told_nothing(asked: AskedField) -> bool:
    field = (asked.definition.extensions or {}).get("strawberry-definition")
    if not isinstance(field, StrawberryField) or not is_usual(field):
        return False
    # A global id is made of the record alone, although Strawberry tells the type about the request.
    return (
        field.base_resolver is None or field.base_resolver.info_parameter is None or is_of_strawberry(field)
    )
