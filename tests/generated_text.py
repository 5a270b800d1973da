"""Provides the files and parts of documents that are made from the program: the tests compare them, ``make docs``
writes them.

The SDL, the answers of the examples, and in documents what stands between ``<!-- name -->`` and ``<!-- end -->``.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from graphql import ObjectTypeDefinitionNode, build_schema, find_breaking_changes, parse, print_ast

from catalog.export import TABLES
from catalog.freshness import Snapshot
from catalog.indexed_catalog import Catalog
from gateway.plan_explanation import explain
from gateway.prepared_request import GraphQLRequest
from schema import FIELD_WEIGHTS, INTROSPECTION_WEIGHTS, sdl
from setting_groups import document_limits
from settings import ROWS, read_settings
from telemetry import WORKER, MetricFamily
from tests.support.gateway_in_process import crawled_catalog
from tests.support.generated_upstreams import generated_upstream
from upstream.client import in_process
from web.pages.graphiql import link_to
from wiring import open_parts, open_source

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
GRAPH = ROOT / "docs" / "graph.md"
FEDERATION = ROOT / "docs" / "federation.md"
ENGINE = ROOT / "docs" / "engine.md"
COST = ROOT / "docs" / "cost.md"
EXPORTED = ROOT / "docs" / "files.md"
METRICS = ROOT / "docs" / "metrics.md"
RELEASES = ROOT / "tests" / "federation" / "releases.graphql"
SDL = ROOT / "schema.graphql"
SUBGRAPH = ROOT / "subgraph.graphql"
LOCAL_GATEWAY = "http://127.0.0.1:8000"
EXAMPLES = sorted((ROOT / "examples").glob("*.graphql"))


def generated_files() -> dict[Path, str]:
    """Return each generated file, or file with generated parts, as it should be."""
    with asyncio.Runner(loop_factory=_LoopWithoutTime) as runner:
        answers, families = runner.run(_answers_and_metrics(crawled_catalog()))
    parts = {"settings": _settings_table(), "field weights": _field_weights()}
    parts["columns of files"] = _columns_of_files()
    parts["metrics"] = _metrics_table(families)
    parts["releases subgraph"] = f"```graphql\n{RELEASES.read_text(encoding='utf-8')}```"
    for path in EXAMPLES:
        query = path.read_text(encoding="utf-8")
        opened = f"[Open it in GraphiQL]({LOCAL_GATEWAY}{link_to(query)}), at a gateway on your machine."
        parts[f"{path.stem} query"] = f"```graphql\n{query}```\n\n{opened}"
        parts[f"{path.stem} answer"] = f"```json\n{_readable(answers[path.stem])}\n```"
    canonical = (ROOT / "examples" / "canonical.graphql").read_text(encoding="utf-8")
    parts["canonical plan"] = (
        f"```\n{explain(GraphQLRequest(canonical), document_limits(read_settings()))}```"
    )
    files = {SDL: f"{sdl('plain')}\n", SUBGRAPH: f"{sdl('federation')}\n"}
    files |= {answer_of(path): f"{_readable(answers[path.stem])}\n" for path in EXAMPLES}
    for document in (README, GRAPH, FEDERATION, ENGINE, COST, EXPORTED, METRICS):
        files[document] = _with_parts(document.read_text(encoding="utf-8"), parts)
    return files


def answer_of(example: Path) -> Path:
    """Return the file with the answer of an example."""
    return ROOT / "examples" / "answers" / f"{example.stem}.json"


def breaking_changes(old: str, new: str) -> list[str]:
    """Return what clients of the old SDL would miss in the new one, each a sentence with its name."""
    changes = find_breaking_changes(_schema(old), _schema(new))
    return [change.description for change in changes]


def broken_compositions(old: str, new: str) -> list[str]:
    """Return what graphs that are composed with the old subgraph would miss in the new one, each a sentence."""
    kept = _directives(new)
    return [
        f"{directive} of {name} was removed."
        for name, directives in _directives(old).items()
        for directive in directives
        if directive not in kept.get(name, [])
    ]


# The committed texts are those of the program, but for what is being changed.
_schema = cache(build_schema)


@cache
def _directives(text: str) -> dict[str, list[str]]:
    return {
        each.name.value: [print_ast(directive) for directive in each.directives or ()]
        for each in parse(text).definitions
        if isinstance(each, ObjectTypeDefinitionNode)
    }


def broken() -> list[str]:
    """Return what the program breaks of the committed schema and subgraph."""
    return [
        *breaking_changes(SDL.read_text(encoding="utf-8"), sdl("plain")),
        *broken_compositions(SUBGRAPH.read_text(encoding="utf-8"), sdl("federation")),
    ]


def _with_parts(document: str, parts: dict[str, str]) -> str:
    def part(match: re.Match[str]) -> str:
        return f"<!-- {match[1]} -->\n{parts[match[1]]}\n<!-- end -->"

    return re.sub(r"<!-- ([\w -]+) -->\n.*?\n<!-- end -->", part, document, flags=re.DOTALL)


def _field_weights() -> str:
    rows = ["| field | weight |", "| --- | --- |"]
    rows += [f"| `{type_}.{field}` | {weight:,} |" for (type_, field), weight in FIELD_WEIGHTS.items()]
    rows += [f"| `{field}` | {weight:,} |" for field, weight in INTROSPECTION_WEIGHTS.items()]
    return "\n".join(rows)


def _settings_table() -> str:
    rows = ["| setting | default | allowed | meaning |", "| --- | --- | --- | --- |"]
    for name, row in ROWS.items():
        default = "empty" if row.default == "" else f"`{row.default}`"
        rows.append(f"| `GATEWAY_{name.upper()}` | {default} | {row.allowed} | {row.description} |")
    return "\n".join(rows)


def _columns_of_files() -> str:
    lines: list[str] = []
    for table in TABLES:
        lines += ["", f"### {table.name}", "", table.meaning, ""]
        lines += ["| column | type | unit | meaning | from |", "| --- | --- | --- | --- | --- |"]
        for column in table.columns:
            type = f"{column.type} or null" if column.nullable else column.type
            source = column.source if column.source.startswith("derived") else f"`{column.source}`"
            lines.append(f"| `{column.name}` | {type} | {column.unit} | {column.meaning} | {source} |")
    return "\n".join([*lines, ""])


def _metrics_table(families: list[MetricFamily]) -> str:
    workers = {
        "sum": "sum",
        "max": "the highest",
        "min": "the lowest",
        "each": f"each, with the label `{WORKER}`",
    }
    rows = ["| metric | type | labels | of several workers | meaning |", "| --- | --- | --- | --- | --- |"]
    for family in sorted(families, key=lambda family: family.name):
        labels = ", ".join(f"`{label}`" for label in family.labels)
        rows.append(
            f"| `{family.name}` | {family.type} | {labels} | {workers[family.across]} | {family.help} |"
        )
    return "\n".join(rows)


class _LoopWithoutTime(asyncio.SelectorEventLoop):
    """Runs a clock that stands still, so that no time limit ends anything, however slow the machine is."""

    def time(self) -> float:
        return 0.0


async def _answers_and_metrics(catalog: Catalog) -> tuple[dict[str, dict[str, Any]], list[MetricFamily]]:
    """Return the answers of the examples by name, from a catalog of the embedded upstream, and all metrics."""
    # A busy machine may take longer than a search waits for upstream.
    settings = read_settings(upstream="embedded", storage=":memory:", crawl="off", search_wait=60)
    # Over an upstream whose day stands still, so that its moments are the same on every day.
    async with open_source(settings, in_process(generated_upstream())) as source:
        source.publisher.snapshot = Snapshot(catalog, datetime.now(UTC))
        async with open_parts(settings, source) as parts:
            execute = parts.gateway.execute
            answers = {
                path.stem: (await execute(GraphQLRequest(path.read_text(encoding="utf-8")))).decoded()
                for path in EXAMPLES
            }
            return answers, list(parts.metrics.families())


def _readable(answer: dict[str, Any]) -> str:
    """Indented JSON in which a list or object of plain values stays on one line."""
    text = json.dumps(answer, indent=2, ensure_ascii=False)
    plain = re.compile(r"([\[{])\s+([^\[\]{}]*?)\s+([\]}])")
    return plain.sub(lambda match: match[1] + re.sub(r",\s+", ", ", match[2]) + match[3], text)


def main() -> None:
    """Write all of them. A schema that breaks clients is written only with ``--breaking``."""
    changes = broken()
    if changes and "--breaking" not in sys.argv:
        sys.exit("Others would break, so nothing is written; BREAKING=1 writes it:\n" + "\n".join(changes))
    for path, text in generated_files().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
