"""Provides a catalog that changes at random, stored version by version, with a clock that tests set."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from typing import Any

import msgspec
from graphql import (
    ArgumentNode,
    DefinitionNode,
    DirectiveNode,
    DocumentNode,
    NameNode,
    OperationDefinitionNode,
    StringValueNode,
    parse,
    print_ast,
)

from catalog.catalog_difference import CatalogDifference, compare
from catalog.indexed_catalog import Catalog
from catalog.storage.storage_port import StoragePort
from tests.support.made_records import NOON, catalog_of, category, grid, package
from tests.support.settings_for_tests import UPSTREAM_URL
from upstream.client.v4_records import CategoryRecord, GridRecord, PackageRecord, Record

BEGIN = datetime(2026, 1, 1, 12, 0, 0, 250_000, tzinfo=UTC)
ORIGIN = UPSTREAM_URL

VALUES: dict[str, list[Any]] = {
    "repo_watchers": [0, 7, 2**40],
    "title": ["title", 'tea 🫖 \u2028 \x00 \\ "'],
    "last_fetched": [None, NOON, NOON.astimezone(UTC)],
    "commits_over_52": [None, (), (1, 2)],
    "participants": [(), ("ada", "grace")],
    "pypi_version": [None, "1.0"],
    "unfit": [(), ("last_updated",)],
    "grids": [(), (1, 2)],
    "description": ["", "a\r\nb"],
    "packages": [(), (3, 1, 2), (1, 2, 3), (2, 9)],
    "header": [True, False],
    "show_pypi": [True, False],
}
"""Values that fields change to, where a record has them."""

MAKERS: dict[str, Callable[..., Record]] = {"package": package, "grid": grid, "category": category}


@dataclass
class Clock:
    """Tells the time that a test sets."""

    moment: datetime = BEGIN

    def __call__(self) -> datetime:
        return self.moment

    def go(self, **by: float) -> datetime:
        """Go on by so much, and return what it is then."""
        self.moment += timedelta(**by)
        return self.moment


@dataclass
class ChangingCatalog:
    """Records that change at random, always in the same way."""

    draw: Random = field(default_factory=lambda: Random(1))
    records: dict[tuple[str, int], Record] = field(
        default_factory=lambda: {(kind, id): make(id) for kind, make in MAKERS.items() for id in range(1, 6)}
    )

    def change(self) -> Catalog:
        """Change some records, add some and remove some, and return the catalog of them all."""
        self.change_records()
        return self.catalog()

    def change_records(self) -> None:
        """Change some records, add some and remove some."""
        for _ in range(self.draw.randrange(1, 5)):
            kind, id = self.draw.choice(list(MAKERS)), self.draw.randrange(1, 9)
            known = self.records.get((kind, id))
            if known is None:
                # The one that comes back can be another than the one that went.
                self.records[kind, id] = MAKERS[kind](id, title=f"title {self.draw.randrange(3)}")
            elif self.draw.random() < 0.25:
                del self.records[kind, id]
            else:
                name = self.draw.choice([name for name in VALUES if name in known.__struct_fields__])
                fields = msgspec.structs.asdict(known) | {name: self.draw.choice(VALUES[name])}
                self.records[kind, id] = MAKERS[kind](**fields)

    def catalog(self) -> Catalog:
        return catalog_of(*self.records.values())


def keep(
    storage: StoragePort,
    catalog: Catalog,
    at: datetime,
    difference: CatalogDifference | None = None,
    *,
    origin: str = ORIGIN,
) -> None:
    """Save a catalog that was read at a moment."""
    storage.save(
        version=f"{origin} {catalog.version}",
        refreshed_at=at,
        packages=catalog.packages.values(),
        grids=catalog.grids.values(),
        categories=catalog.categories.values(),
        difference=difference,
    )


def keep_versions(storage: StoragePort, clock: Clock, number: int, draw: Random) -> list[Catalog]:
    """Save so many catalogs, an hour after one another, each another than the one before; and return them."""
    changing = ChangingCatalog(draw)
    catalogs = [changing.catalog()]
    keep(storage, catalogs[0], clock.moment)
    while len(catalogs) < number:
        before, after = catalogs[-1], changing.change()
        if after.version != before.version:
            # As the crawler saves, and as one that was not there for the version before.
            difference = compare(before, after) if draw.random() < 0.5 else None
            keep(storage, after, clock.go(hours=1), difference)
            catalogs.append(after)
    return catalogs


def keep_versions_of(
    storage: StoragePort, clock: Clock, number: int, records: Iterable[Record]
) -> list[Catalog]:
    """Save so many catalogs, the first of which has these records, and return them."""
    kinds = {PackageRecord: "package", GridRecord: "grid", CategoryRecord: "category"}
    changing = ChangingCatalog(records={(kinds[type(record)], record.id): record for record in records})
    catalogs = [changing.catalog()]
    keep(storage, catalogs[0], clock.go(hours=1))
    for _ in range(number - 1):
        for _ in range(8):
            changing.change_records()
        catalogs.append(changing.catalog())
        keep(storage, catalogs[-1], clock.go(hours=1))
    return catalogs


def as_of(document: str, **arguments: str) -> str:
    """Return a document whose operations have ``@asOf`` with these arguments."""

    def asked(node: DefinitionNode) -> DefinitionNode:
        if not isinstance(node, OperationDefinitionNode):
            return node
        given = tuple(
            ArgumentNode(name=NameNode(value=name), value=StringValueNode(value=value))
            for name, value in arguments.items()
        )
        directive = DirectiveNode(name=NameNode(value="asOf"), arguments=given)
        return replace(node, directives=(*(node.directives or ()), directive))

    parsed = _parsed(document)
    return print_ast(replace(parsed, definitions=tuple(map(asked, parsed.definitions))))


@cache
def _parsed(document: str) -> DocumentNode:
    return parse(document)
