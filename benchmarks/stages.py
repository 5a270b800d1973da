"""Measures what each stage of a request costs by itself, from its body to the bytes of its answer.

    python -m benchmarks.stages

Everything is known: no operation waits for anything. A stage that is done once a document or once a plan is told
by itself, although later requests do without it. The table goes to the screen and to
``benchmarks/results/stages.md``.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import platform
import re
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import httpx
import msgspec
from graphql import parse, validate

from benchmarks.engine import ASKED, OPERATIONS, best_of, made_catalog
from benchmarks.machine import processor
from catalog.freshness import Snapshot
from engine import ByteBudget, Engine, code_generation
from engine.field_failures import AnswerEncoder
from engine.plan_execution import answers
from engine.run_state import PlanRun as EngineRequest
from gateway import AnswerCache, AnswerKey
from gateway.gateway import Gateway
from gateway.limits import check_document, check_text
from gateway.prepared_request import GraphQLRequest
from gateway.validation_rule_selection import applicable_rules, parts_of
from resolvers.loading.request_context import Context, EntityBudget
from resolvers.loading.request_loaders import Loaders
from resolvers.work_budget import WorkBudget
from schema import schema
from settings import read_settings
from web.request_parsing import HttpRequest, read_post
from web.response_cache import ResponseCache
from wiring import make_gateway, open_source

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "stages.md"
ROUNDS = 40
SECONDS = 0.004
"""The seconds for one stage in one round."""
NOBODY = "http://127.0.0.1:9/"

FIRST, WHOLE = "compile, and run for the first time", "execute: all of a request whose shape is known"
LITERALS = ((f'"{ASKED}"', "$slug: String!"), ("20", "$first: Int"))
"""The literals of the operations, and the variables that take their places."""

Stage = Callable[[], Awaitable[object]]


def main() -> None:
    """Measure and write the table."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    text = table(asyncio.run(measure()))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


async def measure() -> dict[str, dict[str, float]]:
    """Seconds by the name of the operation and of the stage."""
    # It knows everything, so its client is never asked.
    settings = read_settings(upstream=NOBODY, storage=":memory:", crawl="off")
    async with open_source(settings, httpx.AsyncBaseTransport()) as upstream:
        upstream.publisher.snapshot = Snapshot(made_catalog(), datetime.now(UTC))
        gc.collect()
        gc.freeze()
        gateway = make_gateway(settings, upstream)
        without_subtrees = make_gateway(replace(settings, response_cache_bytes=0), upstream)
        return {
            name: await _best(_stages(text, gateway, without_subtrees)) for name, text in OPERATIONS.items()
        }


def _stages(text: str, gateway: Gateway, without_subtrees: Gateway) -> dict[str, Stage]:
    upstream, limits = gateway.source, gateway.limits
    snapshot = upstream.latest
    assert snapshot is not None
    version = snapshot.catalog.version
    body = msgspec.json.encode({"query": text})
    http = HttpRequest("POST", b"", {b"content-type": b"application/json"}, body)
    document, engine = parse(text), Engine(schema)
    operation = engine.operation(text, document, None)
    variables = operation.coerced(None)
    root = operation.plan(variables).root
    answers_kept = AnswerCache(ByteBudget(1_000_000))
    responses = ResponseCache(answers_kept)
    as_it_came = ("POST", b"", body, b"content-type", b"application/json")
    key = AnswerKey(GraphQLRequest(text))
    responses.keep(as_it_came, version, answers_kept.keep(key, version, b"", version), 200, [], b"")
    built: list[object] = []
    encoder = AnswerEncoder()

    def context() -> Context:
        return Context(
            Loaders(upstream.batcher, snapshot),
            snapshot,
            upstream,
            EntityBudget(0, allowed=False),
            WorkBudget(10**9),
        )

    async def read() -> object:
        return read_post(http, gateway.persisted)

    async def look_up() -> object:
        return responses.reply(as_it_came, version)

    async def parse_() -> object:
        return parse(text)

    async def validate_() -> object:
        return validate(schema._schema, document, applicable_rules(parts_of(document)))

    async def limit() -> object:
        check_document(document, limits)
        return check_text(text, limits)

    async def first() -> object:
        code_generation.answer_class.cache_clear()
        code_generation.CODE_OF_SOURCE.clear()
        new = Engine(schema)
        plan = new.operation(text, document, None).plan(variables)
        return await answers(plan.root, EngineRequest(variables, context(), new.types))

    async def prepare() -> object:
        return context()

    async def run() -> object:
        built[:] = [await answers(root, EngineRequest(variables, context(), engine.types))]
        return built

    async def serialise() -> object:
        return encoder.whole(built[0])

    async def execute() -> object:
        return await gateway.execute(GraphQLRequest(text))

    async def execute_without_subtrees() -> object:
        return await without_subtrees.execute(GraphQLRequest(text))

    with_variables = _with_variables(text)
    numbers = count()

    async def execute_with_variables() -> object:
        return await gateway.execute(with_variables)

    async def execute_unknown() -> object:
        return await gateway.execute(GraphQLRequest(f"{text} # {next(numbers)}"))

    async def find() -> object:
        return await gateway.documents.find_aside(text)

    return {
        "find a kept answer by the bytes of the request": look_up,
        "read the body": read,
        "parse": parse_,
        "limit": limit,
        "validate": validate_,
        FIRST: first,
        "loaders and context": prepare,
        "run, with those": run,
        "serialise": serialise,
        "find the document by the shape of its text": find,
        WHOLE: execute,
        "execute, without subtrees of earlier answers": execute_without_subtrees,
        "execute, with a variable in the place of the literal": execute_with_variables,
        "execute, a shape that was never seen": execute_unknown,
    }


def _with_variables(text: str) -> GraphQLRequest:
    """Return the same operation with a variable in the place of its literal."""
    for literal, declared in LITERALS:
        if literal in text:
            name = declared.partition(":")[0]
            changed = text.replace(literal, name)
            if "query" not in text:
                changed = f"query Q {changed}"
            changed = re.sub(r"query (\w+)", rf"query \1({declared})", changed)
            return GraphQLRequest(changed, {name[1:]: msgspec.json.decode(literal)})
    raise ValueError(text)


async def _best(stages: dict[str, Stage]) -> dict[str, float]:
    best = {name: await best_of(3, stage) for name, stage in stages.items()}
    # Round by round, so that other work on the machine disturbs all of them alike.
    for _ in range(ROUNDS):
        for name, stage in stages.items():
            best[name] = min(best[name], await best_of(1 + int(SECONDS / best[name]), stage))
    return best


def table(measured: dict[str, dict[str, float]]) -> str:
    """Return one column an operation, one row a stage."""
    lines = [
        "# What each stage of a request costs",
        "",
        f"Written by `python -m benchmarks.stages`. Python {platform.python_version()}, {processor()}; "
        "microseconds, the best of many.",
        "",
        "| | " + " | ".join(measured) + " |",
        "|---|" + "---:|" * len(measured),
    ]
    for stage in next(iter(measured.values())):
        lines.append(
            f"| {stage} | " + " | ".join(f"{of[stage] * 1e6:,.1f}" for of in measured.values()) + " |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
