"""Measures what a filtered and ordered list costs: the processor time of a filter, an order and the first 20 answers.

    python -m benchmarks.lists --sizes 5400,54000

Columns and orders are made at first use and then stay, so their first use is told by itself. The table goes to the
screen and to ``benchmarks/results/lists.md``.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from benchmarks.made_records import made_categories, made_grids, made_packages
from catalog.catalog_source import CatalogSource
from catalog.freshness import Snapshot
from catalog.history import AddedAndRemoved
from catalog.indexed_catalog import Catalog
from resolvers.filters.filter_cache import package_filters
from resolvers.filters.filter_inputs import DateTimeRange, IntRange, PackageDetail, PackageFilter
from resolvers.lists.page_cache import package_pages
from resolvers.lists.pagination import Paging, edges, page_info
from resolvers.lists.record_lists import packages_of
from resolvers.lists.sort_orders import PackageOrder
from resolvers.loading.request_context import Context, EntityBudget
from resolvers.loading.request_loaders import Loaders
from resolvers.work_budget import WorkBudget
from upstream.batching.batcher import Batcher

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "lists.md"
SIZES = "5400,54000"
ROUNDS = 20

SINCE = datetime(2020, 1, 1, tzinfo=UTC)
FILTERS: dict[str, PackageFilter | None] = {
    "no filter": None,
    "category": PackageFilter(category="category-1"),
    "in any of two grids": PackageFilter(in_any_grid=["grid-3", "grid-9"]),
    "text in title, slug or description": PackageFilter(text="package-12"),
    "stars in a range": PackageFilter(stars=IntRange(min=100, max=900)),
    "last commit since": PackageFilter(last_commit=DateTimeRange(after=SINCE)),
    "has documentation and a release": PackageFilter(has_documentation=True, has_pypi_release=True),
    "repository host": PackageFilter(repository_host="github.com"),
    "nothing missing": PackageFilter(not_=PackageFilter(missing=list(PackageDetail)[:2])),
    "five of these at once": PackageFilter(
        text="django",
        stars=IntRange(min=50),
        forks=IntRange(max=400),
        has_pypi_release=True,
        or_=[PackageFilter(category="category-1"), PackageFilter(category="category-2")],
    ),
}


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default=SIZES, help="numbers of packages, joined by commas")
    sizes = [int(size) for size in parser.parse_args().sizes.split(",")]
    columns = [measured(size) for size in sizes]
    lines = [
        "# What a filtered and ordered list costs",
        "",
        f"Written by `python -m benchmarks.lists`. Python {platform.python_version()}. Milliseconds of processor "
        f"time for the filter, an order and 20 edges with their cursors, the best of {ROUNDS}.",
        "",
        "| packages | " + " | ".join(f"{size:,}" for size in sizes) + " |",
        "|---|" + "---:|" * len(sizes),
    ]
    lines += [
        f"| {name} | " + " | ".join(f"{column[name] * 1e3:.2f}" for column in columns) + " |"
        for name in columns[0]
    ]
    text = "\n".join(lines) + "\n"
    print(text)  # noqa: T201 - the table is what the command is for
    RESULTS.write_text(text)


def measured(size: int) -> dict[str, float]:
    """Return the seconds that each row took, by its name, in a catalog of so many packages."""
    catalog = Catalog.build(list(made_packages(size)), list(made_grids(size)), list(made_categories()))

    snapshot = Snapshot(catalog, SINCE)

    source = SimpleNamespace(history=SimpleNamespace(added_and_removed=AddedAndRemoved()))

    def page(filter: PackageFilter | None, order: PackageOrder, after: str | None = None) -> str | None:
        """Make the edges of a page, and return its last cursor."""
        # Nobody is asked, so there is no batcher, and of the source only what came and went.
        context = Context(
            Loaders(cast(Batcher, None), snapshot),
            snapshot,
            cast(CatalogSource, source),
            EntityBudget(0, allowed=False),
            WorkBudget(10**9),
        )
        paging = Paging("packages", 20, after, None, None)
        found = packages_of(context, catalog, paging, None, filter, order)
        edges(found)
        return page_info(found).end_cursor

    def new_page(filter: PackageFilter | None) -> None:
        for cached in (package_filters, package_pages):
            catalog._views.pop(cached, None)
        page(filter, PackageOrder.STARS_DESC)

    first_use = _seconds(1, lambda: page(FILTERS["five of these at once"], PackageOrder.STARS_DESC))
    rows = {"the first use of columns and an order": first_use}
    for name, filter in FILTERS.items():
        new_page(filter)
        rows[name] = _seconds(ROUNDS, lambda: new_page(filter))  # noqa: B023 - called at once
    last = FILTERS["five of these at once"]
    rows["the same five again, cached"] = _seconds(ROUNDS, lambda: page(last, PackageOrder.STARS_DESC))
    cursor = None
    for _ in range(200):
        cursor = page(None, PackageOrder.TITLE_ASC, cursor)
    rows["the page behind 4,000 others, no filter"] = _seconds(
        ROUNDS, lambda: page(None, PackageOrder.TITLE_ASC, cursor)
    )
    return rows


def _seconds(rounds: int, work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


if __name__ == "__main__":
    main()
