"""Searches random operations within the limits for the one that costs most, and keeps it as a case of the tests.

    python -m tests.support.dearest_operations 5000

They aim at what has been dear: lists in lists, filters on nested lists, contributors of contributors, records of other
graphs, many aliases. The dearest by processor time goes to ``tests/gateway/dearest_operation.json``.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
from strawberry import relay

from catalog.catalog_source import CatalogSource
from catalog.freshness import Snapshot
from catalog.indexed_catalog import Catalog
from gateway.document_validation import read_document
from gateway.gateway import Gateway
from gateway.prepared_request import GraphQLRequest
from schema import schema
from tests.support.gateway_in_process import gateway_over, source_over
from tests.support.generated_upstreams import generated_upstream
from tests.support.random_operations import Generator
from tests.support.settings_for_tests import SETTINGS
from wiring import open_source

CASE = Path(__file__).parents[1] / "gateway" / "dearest_operation.json"
MEASURED_AGAIN = 30
"""How many of those that seem dearest are measured three times more, because other work on the machine disturbs."""

MAX_SECONDS = 0.25
"""Seconds of processor time, on a machine that does nothing else."""


class Cost(msgspec.Struct, frozen=True):
    """An operation and what it cost."""

    seed: int
    query: str
    variables: dict[str, Any]
    steps: int
    """Steps of work, all of them if it was not refused."""
    bytes: int
    """The bytes of the answer."""
    refused: str | None
    """The limit that it is beyond."""
    errors: int
    """The operation's fields."""
    seconds: float
    """Seconds of processor time."""


def dear_operations(catalog: Catalog) -> Generator:
    """Makes operations that aim at what is dear in this catalog."""
    packages = sorted(catalog.packages.values(), key=lambda each: -len(each.grids))
    grids = sorted(catalog.grids.values(), key=lambda each: -len(each.packages))
    people = sorted(catalog.contributor_packages, key=lambda login: -len(catalog.contributor_packages[login]))
    ids = [relay.to_base64("Package", each.id) for each in packages[:40]]
    ids += [relay.to_base64("Grid", each.id) for each in grids[:40]]
    ids += [relay.to_base64("Contributor", login) for login in people[:40]]
    filters: list[Any] = ["a", "django", "zq", ""]
    values: dict[str, list[Any]] = {
        "package.slug": [each.slug for each in packages[:20]],
        "grid.slug": [each.slug for each in grids[:20]],
        "slug": [
            *catalog.category_slugs,
            *(each.slug for each in packages[:10]),
            *(each.slug for each in grids[:10]),
        ],
        "slugs": [*(each.slug for each in packages[:100]), *(each.slug for each in grids[:100])],
        "names": [each.slug for each in packages[:100]],
        "urls": [each.repo_url for each in packages[:100]],
        "login": people[:20],
        "id": ids,
        "databaseId": [each.id for each in packages[:20]],
        "first": [100, 100, 100, 50, 20, 0],
        "last": [100, 20],
        "n": [52, 1],
        "activeWithinDays": [36_500],
        "representations": [
            *({"__typename": "Package", "databaseId": each.id} for each in packages[:200]),
            *({"__typename": "Grid", "slug": each.slug} for each in grids[:100]),
            *({"__typename": "Contributor", "login": login} for login in people[:100]),
        ],
        "query": ["django", "a OR the OR django OR app OR for", "djagno emial celrey wagtial", "django 1"],
        "DateTime": ["2020-01-01T00:00:00Z"],
        "String": filters,
        "Int": [0, 1, 5, 100],
        "ID": ids,
        "Boolean": [True, False],
        "Float": [0.5],
        "DateTimeRange.after": ["2012-01-01T00:00:00+00:00"],
        "DateTimeRange.before": ["2022-01-01T00:00:00Z"],
    }
    favourites = dict.fromkeys(
        ["contributors", "coContributors", "contributor", "packages", "packagesConnection", "grids"], 8
    )
    favourites |= dict.fromkeys(["nodes", "edges", "node", "relatedPackages", "compare", "mostStarred"], 6)
    favourites |= dict.fromkeys(["_entities", "package", "sharedGrids", "categories", "stats", "search"], 3)
    favourites |= dict.fromkeys(["participants", "commitsOver52", "id", "repository", "commitActivity"], 4)
    return Generator(
        schema._schema,
        values,
        deepest=9,
        fields=(10, 30, 60, 120),
        relations=0.8,
        # What depends on the moment has not the same size every time.
        favourites=favourites | dict.fromkeys(["catalog", "changes", "active", "daysSinceLastCommit"], 0),
        again=0.15,
    )


async def costs(gateway: Gateway, generator: Generator, seeds: Iterator[int]) -> list[Cost]:
    """Return what each of these operations costs; those that are not valid are left out."""
    found: list[Cost] = []
    for seed in seeds:
        operation = generator.operation(seed)
        query = str(operation)
        if not read_document(query, schema._schema).errors:
            found.append(await cost(gateway, seed, query, operation.variables))
    return found


async def cost(gateway: Gateway, seed: int, query: str, variables: dict[str, Any]) -> Cost:
    """Return what one costs that is not known yet."""
    refused_before = dict(gateway.refused)
    gc.collect(0)
    started = time.process_time()
    answer = await gateway.execute(GraphQLRequest(query, variables, receipt=True))
    seconds = time.process_time() - started
    refused = [name for name, count in gateway.refused.items() if count > refused_before.get(name, 0)]
    body = answer.decoded()
    told, errors = body.get("extensions", {}), len(body.get("errors", []))
    steps = told["work"]["steps"] if "work" in told else 0
    # Without the receipt, which says how old the catalog is.
    size = answer.body.rindex(b',"extensions":') + 1 if "work" in told else len(answer.body)
    return Cost(seed, query, variables, steps, size, refused[0] if refused else None, errors, seconds)


async def _search(seeds: int) -> list[Cost]:
    async with whole_source() as source:
        assert source.latest is not None
        generator = dear_operations(source.latest.catalog)
        await costs(gateway_over(source), generator, iter(range(-20, 0)))
        # As a gateway does with its catalog, so that collections do not look at it.
        gc.collect()
        gc.freeze()
        found = await costs(gateway_over(source), generator, iter(range(seeds)))
        dearest = sorted(found, key=_seconds, reverse=True)[:MEASURED_AGAIN]
        again = [min([await _again(source, each) for _ in range(3)], key=_seconds) for each in dearest]
        return [*again, *(each for each in found if each not in dearest)]


async def _again(source: CatalogSource, found: Cost) -> Cost:
    return await cost(gateway_over(source), found.seed, found.query, found.variables)


def _seconds(found: Cost) -> float:
    return found.seconds


@asynccontextmanager
async def whole_source() -> AsyncIterator[CatalogSource]:
    """Return a source that knows the 5,400 packages, alone."""
    async with source_over(generated_upstream()) as upstream:
        catalog = (await upstream.crawl()).snapshot.catalog
    async with source_alone(catalog) as source:
        yield source


@asynccontextmanager
async def source_alone(catalog: Catalog) -> AsyncIterator[CatalogSource]:
    """Return a source that knows the catalog and has no upstream, whose work would be taken for the gateway's."""
    away = httpx.MockTransport(lambda _request: httpx.Response(503))
    async with open_source(SETTINGS, away) as source:
        source.publisher.snapshot = Snapshot(catalog, datetime.now(UTC))
        yield source


def main() -> None:
    """Search, tell what was found, and keep the dearest."""
    found = sorted(asyncio.run(_search(int(sys.argv[1]))), key=_seconds, reverse=True)
    refused = [each for each in found if each.refused]
    say = sys.stdout.write
    say(f"{len(found):,} operations, {len(refused):,} of them refused\n")
    for each in found[:15]:
        say(
            f"seed {each.seed}: {each.seconds * 1e3:.0f} ms, {each.steps:,} steps, {each.bytes:,} bytes, "
            f"{len(each.query):,} characters{f', refused: {each.refused}' if each.refused else ''}\n"
        )
    say(
        f"most bytes: {max(each.bytes for each in found):,}; most steps: {max(each.steps for each in found):,}\n"
    )
    # What an error says of upstream has not the same size every time.
    keep(next(each for each in found if not (each.refused or each.errors)))


def keep(dearest: Cost) -> None:
    """Make an operation the case of the tests."""
    CASE.write_bytes(msgspec.json.format(msgspec.json.encode(dearest), indent=1) + b"\n")


if __name__ == "__main__":
    main()
