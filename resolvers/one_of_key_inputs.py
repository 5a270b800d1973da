"""Declares the key of a record as one argument, for clients that have it as one value and for composers of schemas.

The composite-schemas draft requires this: a lookup has one argument for all its keys (section 2, ``@is``).
"""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Any

import strawberry
from strawberry import UNSET


def _key(description: str) -> Any:
    return strawberry.field(default=UNSET, description=description)


_ID, _DATABASE_ID = "The global id from the field `id`.", "The number in the REST API."
_SLUG = "The slug, case-sensitive."


@strawberry.input(one_of=True, description="Exactly one key of a package.")
class PackageKey:
    """Names a package by exactly one field."""

    id: strawberry.ID | None = _key(_ID)
    database_id: int | None = _key(_DATABASE_ID)
    slug: str | None = _key(_SLUG)
    pypi_name: str | None = _key("The name on PyPI, in any spelling that PyPI accepts.")
    repo_url: str | None = _key("The address of the repository, in any spelling.")


@strawberry.input(one_of=True, description="Exactly one key of a grid.")
class GridKey:
    """Names a grid by exactly one field."""

    id: strawberry.ID | None = _key(_ID)
    database_id: int | None = _key(_DATABASE_ID)
    slug: str | None = _key(_SLUG)


@strawberry.input(one_of=True, description="Exactly one key of a category.")
class CategoryKey:
    """Names a category by exactly one field."""

    id: strawberry.ID | None = _key(_ID)
    database_id: int | None = _key(_DATABASE_ID)
    slug: str | None = _key(_SLUG)


_BY = strawberry.argument(description="The key as one value.")
ByPackageKey = Annotated[PackageKey | None, _BY]
ByGridKey = Annotated[GridKey | None, _BY]
ByCategoryKey = Annotated[CategoryKey | None, _BY]


def given(key: PackageKey | GridKey | CategoryKey) -> dict[str, Any]:
    """Return the one field that is set, by its name in Python."""
    return {each.name: value for each in fields(key) if (value := getattr(key, each.name)) is not UNSET}
