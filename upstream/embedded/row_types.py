"""Defines the rows that the embedded upstream serves: one struct for each v4 resource, with fields in v4's order of
keys.

Links are ids here, which `row_json.py` turns into URLs (contract, section 3).
"""

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec

Kind = Literal["packages", "grids", "categories"]


class PackageRow(msgspec.Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """Describes a package. Datetimes are text in America/New_York, as v4 writes them."""

    category: int
    grids: tuple[int, ...]
    id: int
    title: str
    slug: str
    last_updated: str | None
    last_fetched: str | None
    repo_url: str
    pypi_version: str | None
    created: str
    modified: str
    repo_forks: int
    repo_description: str
    pypi_url: str
    documentation_url: str | None
    repo_watchers: int
    # The database would let JSON null and items of any kind through, so the row may hold them too.
    commits_over_52: tuple[Any, ...] | None
    participants: tuple[str, ...]


class GridRow(msgspec.Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """Describes a comparison grid with the ids of its packages, by title."""

    id: int
    title: str
    slug: str
    description: str
    is_locked: bool
    packages: tuple[int, ...]
    header: bool
    created: str
    modified: str


class CategoryRow(msgspec.Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """Describes a category, which does not list its packages."""

    id: int
    title: str
    slug: str
    description: str
    title_plural: str
    show_pypi: bool
    created: str
    modified: str


Row = PackageRow | GridRow | CategoryRow


def package_from_v4(record: dict[str, object]) -> PackageRow:
    """Return the row of a package record as v4 sends it, its links become ids."""
    links = {"category": _id(record["category"]), "grids": tuple(_ids(record["grids"]))}
    return msgspec.convert({**record, **links}, PackageRow)


def grid_from_v4(record: dict[str, object]) -> GridRow:
    """Return the row of a grid record as v4 sends it, its links become ids."""
    return msgspec.convert({**record, "packages": tuple(_ids(record["packages"]))}, GridRow)


def category_from_v4(record: dict[str, object]) -> CategoryRow:
    """Return the row of a category record as v4 sends it."""
    return msgspec.convert(record, CategoryRow)


def _ids(links: object) -> Iterator[int]:
    assert isinstance(links, Iterable)
    return (_id(link) for link in links)


def _id(link: object) -> int:
    # The id is the last path segment, whatever the suffix or ?format= says (contract, section 6).
    path = str(link).partition("?")[0].rstrip("/")
    return int(path.rpartition("/")[2].partition(".")[0])
