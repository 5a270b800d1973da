"""Tests that the locked versions agree: who adds the tools for assistants changes nothing that was installed."""

from __future__ import annotations

import re
from pathlib import Path

REQUIREMENTS = Path(__file__).parents[2] / "requirements"


def pins(name: str) -> set[str]:
    return set(
        re.findall(r"^[\w.-]+==[^ ]+", (REQUIREMENTS / name).read_text(encoding="utf-8"), re.MULTILINE)
    )


def test_the_versions_for_assistants_include_those_of_the_gateway() -> None:
    assert pins("run.txt") < pins("mcp.txt") < pins("dev.txt")


def test_the_gateway_needs_nothing_of_the_sdk() -> None:
    assert not [pin for pin in pins("run.txt") if pin.startswith("mcp")]
    assert [pin for pin in pins("mcp.txt") if pin.startswith("mcp==")]
