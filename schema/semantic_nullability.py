"""Declares which fields are null only together with an error, although their types allow null.

A field declares it by ``metadata=null_only_with_error(depends_on(...))``. Clients that stop at errors, as Relay does
with ``@throwOnFieldError``, can take such a field as non-null. The dialect ``semantic-non-null`` tells them by the
directive ``@semanticNonNull`` of the proposal https://specs.apollo.dev/nullability/v0.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import strawberry
from strawberry.types.field import StrawberryField

Levels = tuple[int, ...]
"""The depths in lists: 0 is the value of the field, and 1 an item of its list."""

SEMANTIC_NON_NULL: Final = """
"The field is null only together with an error: at these levels, 0 for its value and 1 for the items of its list."
directive @semanticNonNull(levels: [Int!]! = [0]) on FIELD_DEFINITION
"""

_KEY = "null_only_with_error"


def null_only_with_error(metadata: Mapping[str, Any], *levels: int) -> Mapping[str, Any]:
    """Declare that a field is null only with an error, beside the rest of its ``metadata``; at level 0 by default."""
    return {**metadata, _KEY: levels or (0,)}


def semantic_levels(schema: strawberry.Schema) -> dict[tuple[str, str], Levels]:
    """Return the levels that are null only with an error, by the names of the type and the field."""
    return {(type_, field): levels for type_, field, levels in _declared(schema)}


def _declared(schema: strawberry.Schema) -> Iterator[tuple[str, str, Levels]]:
    for type_ in schema._schema.type_map.values():
        for name, field in getattr(type_, "fields", {}).items():
            definition = (field.extensions or {}).get("strawberry-definition")
            if isinstance(definition, StrawberryField) and (levels := definition.metadata.get(_KEY)):
                yield type_.name, name, levels
