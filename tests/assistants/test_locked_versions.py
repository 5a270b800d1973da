"""Tests that the locked versions agree: who adds what is optional changes nothing that was installed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REQUIREMENTS = Path(__file__).parents[2] / "requirements"
# Schemathesis has an environment of its own.
OPTIONAL = {path.name for path in REQUIREMENTS.glob("*.txt")} - {"run.txt", "dev.txt", "schemathesis.txt"}


def pins(name: str) -> set[str]:
    return set(
        re.findall(r"^[\w.-]+==[^ ]+", (REQUIREMENTS / name).read_text(encoding="utf-8"), re.MULTILINE)
    )


@pytest.mark.parametrize("optional", sorted(OPTIONAL))
def test_the_versions_of_what_is_optional_include_those_of_the_gateway(optional: str) -> None:
    assert pins("run.txt") < pins(optional) < pins("dev.txt")


@pytest.mark.parametrize(
    ("optional", "package"), [("mcp.txt", "mcp"), ("files.txt", "pyarrow"), ("valkey.txt", "redis")]
)
def test_the_gateway_needs_nothing_of_it(optional: str, package: str) -> None:
    assert not [pin for pin in pins("run.txt") if pin.startswith(package)]
    assert [pin for pin in pins(optional) if pin.startswith(f"{package}==")]
