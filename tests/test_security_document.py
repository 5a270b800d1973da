"""SECURITY.md names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "SECURITY.md").read_text(encoding="utf-8"))


def test_it_names_a_test_for_each_finding() -> None:
    document = (ROOT / "SECURITY.md").read_text(encoding="utf-8").split("## Findings")[1]
    findings = [line for line in document.splitlines() if line.startswith("| ")][2:]
    assert len(findings) == len(NAMED) >= 14


def test_the_tests_that_close_findings_exist() -> None:
    def exists(file: str, name: str) -> bool:
        text = (ROOT / file).read_text(encoding="utf-8")
        return re.search(rf"^(async )?def {name}\(", text, re.MULTILINE) is not None

    assert [(file, name) for file, name in NAMED if not exists(file, name)] == []
