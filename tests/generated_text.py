"""The parts of the documents that are made from the program: the tests compare them, ``make docs`` writes them.

A part stands between ``<!-- name -->`` and ``<!-- end -->``.
"""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

from server import open_source
from settings import Settings, read_settings
from web.execution import Gateway, Request
from web.graphiql import CANONICAL

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"


def with_generated_text(document: str) -> str:
    """The document with each of its parts made anew."""
    for name, text in _parts().items():
        part = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- end -->)", re.DOTALL)
        document = part.sub(lambda match: match[1] + text + match[2], document)  # noqa: B023
    return document


def _parts() -> dict[str, str]:
    answer = asyncio.run(_answer(CANONICAL.read_text(encoding="utf-8")))
    return {
        "canonical query": f"```graphql\n{CANONICAL.read_text(encoding='utf-8')}```",
        "canonical answer": f"```json\n{_readable(answer)}\n```",
        "settings": _settings_table(),
    }


def _settings_table() -> str:
    rows = ["| setting | default | allowed | meaning |", "| --- | --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        (allowed,) = field.examples or [""]
        rows.append(f"| `GATEWAY_{name.upper()}` | `{field.default}` | {allowed} | {field.description} |")
    return "\n".join(rows)


async def _answer(document: str) -> dict[str, Any]:
    source = open_source(read_settings(upstream="embedded", storage=":memory:"), follow=False)
    await source.open()
    try:
        answer: dict[str, Any] = json.loads((await Gateway(source).execute(Request(document))).body)
        return answer
    finally:
        await source.aclose()


def _readable(answer: dict[str, Any]) -> str:
    """Indented JSON in which a list or object of plain values stays on one line."""
    text = json.dumps(answer, indent=2, ensure_ascii=False)
    plain = re.compile(r"([\[{])\s+([^\[\]{}]*?)\s+([\]}])")
    return plain.sub(lambda match: match[1] + re.sub(r",\s+", ", ", match[2]) + match[3], text)


if __name__ == "__main__":
    README.write_text(with_generated_text(README.read_text(encoding="utf-8")), encoding="utf-8")
