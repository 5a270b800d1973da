"""Measures what the catalog costs: the time to build it, its memory, and the time of a lookup.

    python -m benchmarks.catalog --sizes 5400,54000

Each size runs in a process of its own. The table goes to the screen and to ``benchmarks/results/catalog.md``.
Memory is what the process holds in RAM, as Linux tells it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import TypeVar

import msgspec

from benchmarks.machine import processor
from benchmarks.made_records import CONTRIBUTORS, made_categories, made_grids, made_packages
from catalog.catalog_difference import compare
from catalog.columnar_table import package_table
from catalog.indexed_catalog import Catalog
from catalog.pypi_and_repository import normalise_pypi_name, repository
from resolvers.lists.sort_orders import PackageOrder

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "catalog.md"
SIZES = "5400,54000,540000"

LOOKUPS = 100_000

T = TypeVar("T")


class CatalogFigures(msgspec.Struct):
    """Holds one row of the table, in bytes, and in seconds unless the name says otherwise."""

    packages: int
    contributors: int
    build: float
    loop_pause: float
    compare: float
    bytes_of_records: int
    bytes_of_indexes: int
    resident: int
    ns_id: float
    ns_slug: float
    ns_pypi_name: float
    ns_repository: float
    order_title: float
    order_created: float
    order_kept_ns: float


def main() -> None:
    """Measure each size and write the table."""
    arguments = argparse.ArgumentParser(description="What the catalog costs.")
    arguments.add_argument("--sizes", default=SIZES, help="packages, with commas (default: %(default)s)")
    arguments.add_argument("--one", type=int, help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.one:
        sys.stdout.buffer.write(msgspec.json.encode(measure(chosen.one)))
        return
    rows = [_in_fresh_process(size) for size in chosen.sizes.split(",")]
    text = table(rows)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(text)
    sys.stdout.write(text)


def _in_fresh_process(size: str) -> CatalogFigures:
    command = [sys.executable, "-m", "benchmarks.catalog", "--one", size]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    return msgspec.json.decode(done.stdout, type=CatalogFigures)


def measure(size: int) -> CatalogFigures:
    """Return all numbers for a catalog of ``size`` packages, in this process."""
    empty = _resident()
    records = list(made_packages(size)), list(made_grids(size)), list(made_categories())
    with_records = _resident()

    builds = _builds(size)
    build, catalog = _best(builds, lambda: Catalog.build(*records))
    resident = _resident()

    known = Random(2).choices(list(catalog.packages.values()), k=1000)
    ids = [package.id for package in known]
    slugs = [package.slug for package in known]
    urls = [package.repo_url for package in known]
    pypi_names, repositories = catalog.pypi_names, catalog.repositories
    ns_id = _nanoseconds(catalog.packages.__getitem__, ids)
    ns_slug = _nanoseconds(catalog.package_slugs.__getitem__, slugs)
    ns_pypi_name = _nanoseconds(lambda name: pypi_names.get(normalise_pypi_name(name)), slugs)
    ns_repository = _nanoseconds(lambda url: repositories.get(repository(url) or ""), urls)
    table = catalog.view(package_table)
    by_title, by_created = PackageOrder.TITLE_ASC.order, PackageOrder.CREATED_ASC.order
    order_title, _ = _best(1, lambda: table.ids(by_title))
    order_created, _ = _best(1, lambda: table.ids(by_created))
    return CatalogFigures(
        packages=len(catalog.packages),
        contributors=len(catalog.contributor_packages),
        build=build,
        loop_pause=max(asyncio.run(_loop_pause(catalog)) for _ in range(builds)),
        compare=_compare(catalog),
        bytes_of_records=with_records - empty,
        bytes_of_indexes=resident - with_records,
        resident=resident,
        ns_id=ns_id,
        ns_slug=ns_slug,
        ns_pypi_name=ns_pypi_name,
        ns_repository=ns_repository,
        order_title=order_title,
        order_created=order_created,
        order_kept_ns=_nanoseconds(table.ids, [by_title] * 1000),
    )


# Measuring


def _builds(size: int) -> int:
    # As many as end in reasonable time, because other work on the machine disturbs.
    return max(2, min(10, 270_000 // size))


def _best(times: int, make: Callable[[], T]) -> tuple[float, T]:
    shortest = float("inf")
    for _ in range(times):
        made = None
        started = time.perf_counter()
        made = make()
        shortest = min(shortest, time.perf_counter() - started)
    assert made is not None
    return shortest, made


def _nanoseconds(look_up: Callable[[T], object], keys: Iterable[T]) -> float:
    keys = list(keys)
    rounds = LOOKUPS // len(keys)

    def all_keys() -> float:
        started = time.perf_counter_ns()
        for _ in range(rounds):
            for key in keys:
                look_up(key)
        return (time.perf_counter_ns() - started) / (rounds * len(keys))

    return min(all_keys() for _ in range(5))


async def _loop_pause(catalog: Catalog) -> float:
    """Return the longest time that one turn of the event loop took while a thread built a catalog."""
    parts = catalog.packages.values(), catalog.grids.values(), catalog.categories.values()
    building = asyncio.ensure_future(asyncio.to_thread(Catalog.build, *parts))
    longest = 0.0
    while not building.done():
        turned = time.perf_counter()
        await asyncio.sleep(0)
        longest = max(longest, time.perf_counter() - turned)
    await building
    return longest


def _compare(catalog: Catalog) -> float:
    """Return the time to find one change among all packages."""
    packages = dict(catalog.packages)
    newest = next(iter(packages.values()))
    # Copies, because a record that is the same object is not compared.
    copies = (msgspec.structs.replace(package) for package in packages.values())
    changed = {package.id: package for package in copies}
    changed[newest.id] = msgspec.structs.replace(newest, repo_watchers=-1)
    other = Catalog.build(changed.values(), catalog.grids.values(), catalog.categories.values())
    return _best(3, lambda: compare(catalog, other))[0]


def _resident() -> int:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


# The table


def table(rows: list[CatalogFigures]) -> str:
    """Return the rows as Markdown, one column a size, under the machine they were measured on."""
    lines: list[tuple[str, Callable[[CatalogFigures], str]]] = [
        ("distinct contributors", lambda row: f"{row.contributors:,}"),
        ("build, best of several", lambda row: _ms(row.build)),
        (
            "longest pause of the event loop while a thread builds, worst of several",
            lambda row: _ms(row.loop_pause),
        ),
        ("compare two catalogs that differ in one package", lambda row: _ms(row.compare)),
        ("memory of the process with the catalog, interpreter included", lambda row: _mb(row.resident)),
        ("bytes a package, its record", lambda row: f"{row.bytes_of_records / row.packages:,.0f}"),
        (
            "bytes a package, its part of the indexes",
            lambda row: f"{row.bytes_of_indexes / row.packages:,.0f}",
        ),
        ("look up by id", lambda row: _ns(row.ns_id)),
        ("look up by slug", lambda row: _ns(row.ns_slug)),
        ("look up by PyPI name as typed", lambda row: _ns(row.ns_pypi_name)),
        ("look up by repository as typed", lambda row: _ns(row.ns_repository)),
        ("first use of the order by title", lambda row: _ms(row.order_title)),
        ("first use of the order by created", lambda row: _ms(row.order_created)),
        ("second use of an order", lambda row: _ns(row.order_kept_ns)),
    ]
    text = [
        "# What the catalog costs",
        "",
        f"Written by `python -m benchmarks.catalog`. Python {platform.python_version()}, {processor()}. "
        f"{CONTRIBUTORS} contributors a package; times are wall-clock, lookups include the call and the loop.",
        "",
        "| packages | " + " | ".join(f"{row.packages:,}" for row in rows) + " |",
        "|---|" + "---:|" * len(rows),
    ]
    text += [f"| {name} | " + " | ".join(show(row) for row in rows) + " |" for name, show in lines]
    return "\n".join(text) + "\n"


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:,.1f} ms"


def _ns(nanoseconds: float) -> str:
    return f"{nanoseconds:,.0f} ns"


def _mb(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


if __name__ == "__main__":
    main()
