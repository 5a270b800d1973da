"""SECURITY.md names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "SECURITY.md").read_text(encoding="utf-8"))


def test_it_names_a_test_for_each_finding() -> None:
    document = (ROOT / "SECURITY.md").read_text(encoding="utf-8").split("## Findings")[1]
    findings = [line for line in document.splitlines() if line.startswith("| ")][2:]
    assert len(findings) == len(NAMED) >= 14


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[name for _file, name in NAMED])
def test_a_test_that_closes_a_finding_exists(file: str, name: str) -> None:
    assert re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
