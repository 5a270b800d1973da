"""Declares the tables of the exported files and their columns: names, types, units, meanings and sources.

All formats are written from this one declaration, and the tables in ``docs/files.md`` are made from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal

from catalog.indexed_catalog import Catalog
from catalog.pypi_and_repository import pypi_name, repository
from catalog.record_sorting import commits_in_52_weeks
from upstream.client import MAX_ID, PackageRecord

ColumnType = Literal["integer", "text", "boolean", "moment", "integers", "texts"]
"""The types of columns. A moment is in UTC; the last two are lists."""

DERIVED = "derived"
"""Where a value comes from that the gateway works out; every other source is a field of the REST API v4."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedColumn:
    """Declares one column."""

    name: str
    type: ColumnType
    meaning: str
    unit: str = ""
    source: str
    nullable: bool = False
    value: Callable[[Catalog, Any], Any]
    """Gives the value of a record in a catalog, of the Python type that ``type`` stands for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedTable:
    """Declares one table, which is a file in most formats."""

    name: str
    meaning: str
    key: tuple[str, ...]
    """The columns that identify a row."""
    rows: Callable[[Catalog], Iterable[Any]]
    """Gives what the rows are made from, in the order of the files: newest id first."""
    columns: tuple[ExportedColumn, ...]

    def values(self, catalog: Catalog, row: Any) -> list[Any]:
        """Return the values of a row, in the order of the columns."""
        return [column.value(catalog, row) for column in self.columns]


def _field(
    name: str, type: ColumnType, meaning: str, unit: str = "", *, nullable: bool = False
) -> ExportedColumn:
    """Declare a column that has a field of v4 as it is."""

    def value(_catalog: Catalog, record: Any) -> Any:
        return getattr(record, name)

    return ExportedColumn(
        name=name, type=type, meaning=meaning, unit=unit, source=name, nullable=nullable, value=value
    )


def _moment(name: str, meaning: str, *, nullable: bool = False) -> ExportedColumn:
    def value(_catalog: Catalog, record: Any) -> datetime | None:
        moment: datetime | None = getattr(record, name)
        return None if moment is None else _in_utc(moment)

    return ExportedColumn(
        name=name, type="moment", meaning=meaning, unit="UTC", source=name, nullable=nullable, value=value
    )


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        # The moment is at an end of the calendar, and cannot be expressed in UTC.
        return moment.replace(tzinfo=UTC)


def _count(name: str, meaning: str, unit: str) -> ExportedColumn:
    def value(_catalog: Catalog, record: Any) -> int | None:
        number: int = getattr(record, name)
        # JSON has numbers of any size, and the formats of tables have 64 bits.
        return number if -MAX_ID <= number <= MAX_ID else None

    return ExportedColumn(
        name=name, type="integer", meaning=meaning, unit=unit, source=name, nullable=True, value=value
    )


def _category_slug(catalog: Catalog, package: PackageRecord) -> str | None:
    category = catalog.categories.get(package.category)
    return None if category is None else category.slug


def _memberships(catalog: Catalog) -> Iterable[tuple[int, int]]:
    return ((grid.id, package) for grid in catalog.grids.values() for package in sorted(set(grid.packages)))


_ID = _field("id", "integer", "The id at Django Packages, which never changes.")
_SLUG = _field("slug", "text", "The name in addresses, which can change.")
_TITLE = _field("title", "text", "The title.")
_CREATED = _moment("created", "When the record was made.")
_MODIFIED = _moment("modified", "When the record was last saved, whether or not its content changed.")

PACKAGES = ExportedTable(
    name="packages",
    meaning="Packages: one row for each.",
    key=("id",),
    rows=lambda catalog: catalog.packages.values(),
    columns=(
        _ID,
        _SLUG,
        _TITLE,
        _field("repo_description", "text", "The description of the repository."),
        _field("category", "integer", "The category.", "id in categories"),
        ExportedColumn(
            name="category_slug",
            type="text",
            meaning="The slug of the category; null if there is no such category.",
            source=f"{DERIVED} from category",
            nullable=True,
            value=_category_slug,
        ),
        _count("repo_watchers", "The stars of the repository; null beyond 64 bits.", "stars"),
        _count("repo_forks", "The forks of the repository; null beyond 64 bits.", "forks"),
        _field(
            "commits_over_52",
            "integers",
            "The commits of each of the last 52 weeks, the oldest first; null or empty if they were not counted.",
            "commits in a week",
            nullable=True,
        ),
        ExportedColumn(
            name="commits_in_52_weeks",
            type="integer",
            meaning="The commits of these 52 weeks together; null if they were not counted.",
            unit="commits",
            source=f"{DERIVED} from commits_over_52",
            nullable=True,
            value=lambda _catalog, package: commits_in_52_weeks(package),
        ),
        _field("participants", "texts", "The logins of contributors, in upstream's order.", "logins"),
        _field("repo_url", "text", "The address of the repository, as people typed it."),
        ExportedColumn(
            name="repository",
            type="text",
            meaning="The normalised address, such as `github.com/owner/name`; null if it is not the address of a "
            "repository.",
            source=f"{DERIVED} from repo_url",
            nullable=True,
            value=lambda _catalog, package: repository(package.repo_url),
        ),
        _field("pypi_url", "text", "The address or name on PyPI, as people typed it."),
        ExportedColumn(
            name="pypi_name",
            type="text",
            meaning="The normalised name on PyPI (PEP 503); null if it is not a name.",
            source=f"{DERIVED} from pypi_url",
            nullable=True,
            value=lambda _catalog, package: pypi_name(package.pypi_url),
        ),
        _field("pypi_version", "text", "The newest release on PyPI.", nullable=True),
        _field("documentation_url", "text", "The address of the documentation.", nullable=True),
        _moment("last_updated", "When the last commit was made, as Django Packages saw it.", nullable=True),
        _moment("last_fetched", "When Django Packages last read the repository.", nullable=True),
        _CREATED,
        _MODIFIED,
        _field("grids", "integers", "The grids that list the package.", "ids in grids"),
        ExportedColumn(
            name="unfit",
            type="texts",
            meaning="The fields that are null because what Django Packages sent in them cannot be read.",
            source=DERIVED,
            value=lambda _catalog, package: package.unfit,
        ),
    ),
)

GRIDS = ExportedTable(
    name="grids",
    meaning="Grids, which compare packages: one row for each.",
    key=("id",),
    rows=lambda catalog: catalog.grids.values(),
    columns=(
        _ID,
        _SLUG,
        _TITLE,
        _field("description", "text", "The description, in Markdown or plain text."),
        _field("is_locked", "boolean", "Whether only the staff of the site can edit the grid."),
        _field("header", "boolean", "Whether the site shows the grid in its header."),
        _CREATED,
        _MODIFIED,
        ExportedColumn(
            name="package_count",
            type="integer",
            meaning="The number of packages in the grid.",
            unit="packages",
            source=f"{DERIVED} from packages",
            value=lambda _catalog, grid: len(set(grid.packages)),
        ),
    ),
)


CATEGORIES = ExportedTable(
    name="categories",
    meaning="Categories of packages: one row for each.",
    key=("id",),
    rows=lambda catalog: catalog.categories.values(),
    columns=(
        _ID,
        _SLUG,
        _TITLE,
        _field("title_plural", "text", "The title for several packages."),
        _field("description", "text", "The description."),
        _field("show_pypi", "boolean", "Whether the site shows the release on PyPI for these packages."),
        _CREATED,
        _MODIFIED,
    ),
)

MEMBERSHIPS = ExportedTable(
    name="memberships",
    meaning="Which packages are in which grids: one row for each pair.",
    key=("grid", "package"),
    rows=_memberships,
    columns=(
        ExportedColumn(
            name="grid",
            type="integer",
            meaning="The grid.",
            unit="id in grids",
            source="grids.packages",
            value=lambda _catalog, pair: pair[0],
        ),
        ExportedColumn(
            name="package",
            type="integer",
            meaning="The package.",
            unit="id in packages",
            source="grids.packages",
            value=lambda _catalog, pair: pair[1],
        ),
    ),
)

TABLES = (PACKAGES, GRIDS, CATEGORIES, MEMBERSHIPS)


def _layout() -> str:
    declared = [
        (table.name, table.key, column.name, column.type, column.unit, column.meaning, column.source)
        for table in TABLES
        for column in table.columns
    ]
    return sha256(repr(declared).encode()).hexdigest()[:8]


LAYOUT = _layout()
"""Tells the files of these columns from those that another release of the gateway has left in the folder."""
