"""Measures what the engine costs, beside Strawberry's execution of the same operations in the same run.

    python -m benchmarks.engine

Everything is known: no operation waits for anything. Strawberry is given documents that are parsed and validated
already. The answers are compared byte for byte before they are timed. The table goes to the screen and to
``benchmarks/results/engine.md``.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import platform
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, cast

import msgspec
from graphql import parse, validate

from benchmarks.machine import processor
from benchmarks.made_records import made_categories, made_grids, made_packages
from catalog.catalog_source import CatalogSource
from catalog.freshness import Snapshot
from catalog.indexed_catalog import Catalog
from engine import ByteBudget, Engine, code_generation
from engine.field_failures import AnswerEncoder
from engine.plan_execution import answers
from engine.run_limits import NO_LIMITS
from engine.run_state import PlanRun
from gateway.answer_subtrees_by_catalog import new_subtrees
from gateway.document_validation import read_document
from resolvers.loading.request_context import Context, EntityBudget
from resolvers.loading.request_loaders import Loaders
from resolvers.work_budget import WorkBudget
from schema import given, schema
from upstream.batching.batcher import Batcher
from upstream.client.v4_records import GridRecord, PackageRecord

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "engine.md"
PACKAGES = 5400
CACHED_BYTES = 64_000_000
ROUNDS = 20
MEMBERS = 49
"""How many packages the grid in the canonical query has: the largest of the site has about as many."""
OTHERS = 40
"""Members of the other grids, so that 20 packages lead to about 1,500."""

ASKED = "django-cacheback"
"""The slug of the package that the canonical query asks for."""

OPERATIONS = {
    "one package, 4 fields": f'{{ package(slug: "{ASKED}") {{ title slug repoWatchers pypiVersion }} }}',
    "the canonical query": (ROOT / "examples" / "canonical.graphql").read_text(encoding="utf-8"),
    "20 packages -> grids -> packages": (
        "{ packages(first: 20) { nodes { title grids { title packages { title } } } } }"
    ),
}


class EngineFigures(msgspec.Struct):
    """Holds one row of the table. Times are in seconds."""

    name: str
    answer: int
    parse_and_validate: float
    cold: float
    run: float
    serialise: float
    strawberry: float
    whole: float
    """Without subtrees of answers."""
    first: float
    """With subtrees, when its records are met for the first time; then the second time, and later."""
    second: float
    later: float


def main() -> None:
    """Measure and write the table."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    text = table(asyncio.run(measure()))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


async def measure() -> list[EngineFigures]:
    """Return all rows."""
    snapshot = Snapshot(made_catalog(), datetime.now(UTC))
    gc.collect()
    gc.freeze()

    def context() -> Context:
        # Nobody is asked, so there is no batcher.
        return Context(
            Loaders(cast(Batcher, None), snapshot),
            snapshot,
            cast(CatalogSource, None),
            EntityBudget(0, allowed=False),
            WorkBudget(10**9),
        )

    return [await _measured(name, text, snapshot.catalog, context) for name, text in OPERATIONS.items()]


async def _measured(name: str, text: str, catalog: Catalog, context: Callable[[], Context]) -> EngineFigures:
    document = parse(text)
    engine = Engine(schema)
    body = (await engine.run(text, document, None, None, context())).data
    await _compare(text, body, context)
    operation = engine.operation(text, document, None)
    variables = operation.coerced(None)
    root = operation.plan(variables).root
    answer = await answers(root, PlanRun(variables, context(), engine.types))
    encoder = AnswerEncoder()

    async def cold() -> None:
        code_generation.answer_class.cache_clear()
        code_generation.CODE_OF_SOURCE.clear()
        await Engine(schema).run(text, document, None, None, context())

    async def run() -> None:
        await answers(root, PlanRun(variables, context(), engine.types))

    async def serialise() -> None:
        encoder.whole(answer)

    async def whole(times: int) -> list[float]:
        shortest = [float("inf")] * 5
        for _ in range(times):
            kept = new_subtrees(catalog, ByteBudget(CACHED_BYTES))
            for which, subtrees in enumerate([None, kept, kept, kept, kept]):
                started = time.perf_counter()
                ran = await engine.run(text, document, None, None, context(), subtrees=subtrees)
                shortest[which] = min(shortest[which], time.perf_counter() - started)
                if ran.data != body:
                    raise SystemExit(f"The answers differ with subtrees: {text}")
        # At the fourth run with subtrees nothing is left to be made, counts included.
        return [*shortest[:3], shortest[4]]

    known = read_document(text, schema._schema)

    async def strawberry() -> None:
        with given(known, NO_LIMITS) as extensions:
            result = await schema.execute(text, context_value=context(), operation_extensions=extensions)
        msgspec.json.encode({"data": result.data})

    async def parse_and_validate() -> None:
        assert not validate(schema._schema, parse(text))

    # Round by round, so that other work on the machine disturbs all of them alike.
    rare, often = 2, 20 if len(body) > 50_000 else 200
    measured = [
        (parse_and_validate, rare),
        (cold, rare),
        (run, often),
        (serialise, often),
        (strawberry, often // 10),
    ]
    best = [float("inf")] * len(measured)
    wholes = [float("inf")] * 4
    for _ in range(ROUNDS):
        for which, (do, times) in enumerate(measured):
            best[which] = min(best[which], await best_of(times, do))
        wholes = list(map(min, wholes, await whole(often // 4)))
    return EngineFigures(name, len(body), *best, *wholes)


async def _compare(text: str, body: bytes, context: Callable[[], Context]) -> None:
    result = await schema.execute(text, context_value=context())
    if body != msgspec.json.encode(result.data):
        raise SystemExit(f"The answers differ: {text}")
    if None in msgspec.json.decode(body).values():
        raise SystemExit(f"The catalog has nothing to answer with: {text}")


async def best_of(times: int, do: Callable[[], Awaitable[Any]]) -> float:
    """Seconds: the best of many, because other work on the machine disturbs."""
    shortest = float("inf")
    for _ in range(times):
        started = time.perf_counter()
        await do()
        shortest = min(shortest, time.perf_counter() - started)
    return shortest


def made_catalog() -> Catalog:
    """Make 5,400 packages; each is in up to three grids of 40, and one in a grid of 49 alone."""
    draws = Random(1)
    packages = {package.id: package for package in made_packages(PACKAGES)}
    grids: dict[int, GridRecord] = {grid.id: grid for grid in made_grids(PACKAGES)}
    asked = 100
    for grid in grids.values():
        others = draws.sample([id for id in packages if id != asked], OTHERS)
        grids[grid.id] = msgspec.structs.replace(grid, packages=tuple(others))
    first = next(iter(grids))
    grids[first] = msgspec.structs.replace(grids[first], packages=tuple(range(asked, asked + MEMBERS)))
    of: dict[int, list[int]] = {id: [] for id in packages}
    for grid in grids.values():
        for id in grid.packages:
            of[id].append(grid.id)
    made: list[PackageRecord] = [
        msgspec.structs.replace(package, grids=tuple(of[package.id][:3])) for package in packages.values()
    ]
    made[asked - 1] = msgspec.structs.replace(made[asked - 1], slug=ASKED, grids=(first,))
    return Catalog.build(made, grids.values(), made_categories())


def table(rows: list[EngineFigures]) -> str:
    """Return the rows as Markdown, one column an operation, under the machine they were measured on."""
    lines: list[tuple[str, Callable[[EngineFigures], str]]] = [
        ("bytes of the answer", lambda row: f"{row.answer:,}"),
        ("parse and validate, once a document", lambda row: _us(row.parse_and_validate)),
        ("first run, with compiling everything in it", lambda row: _us(row.cold)),
        ("run: find the objects, build the answers", lambda row: _us(row.run)),
        ("serialise", lambda row: _us(row.serialise)),
        ("the engine, all of it, loaders included", lambda row: _us(row.whole)),
        ("Strawberry with its documents cached, loaders and JSON included", lambda row: _us(row.strawberry)),
        ("times as fast", lambda row: f"{row.strawberry / row.whole:,.0f}"),
        ("the engine with subtrees, records met for the first time", lambda row: _us(row.first)),
        ("the engine with subtrees, the second time, which makes them", lambda row: _us(row.second)),
        ("the engine with subtrees, later", lambda row: _us(row.later)),
        ("times as fast as Strawberry, later", lambda row: f"{row.strawberry / row.later:,.0f}"),
    ]
    text = [
        "# What the engine costs",
        "",
        f"Written by `python -m benchmarks.engine`. Python {platform.python_version()}, {processor()}; "
        "microseconds, the best of many.",
        "",
        "| | " + " | ".join(row.name for row in rows) + " |",
        "|---|" + "---:|" * len(rows),
    ]
    text += [f"| {name} | " + " | ".join(show(row) for row in rows) + " |" for name, show in lines]
    return "\n".join(text) + "\n"


def _us(seconds: float) -> str:
    return f"{seconds * 1e6:,.1f}"


if __name__ == "__main__":
    main()
