"""Tests that systemd reads ``deploy/gateway.service`` without complaint, and calls the service well protected.

No service is started here.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from settings import ROWS
from tests.deploy.conftest import run
from tests.support.processes import ROOT
from tests.support.required_programs import need

UNIT = ROOT / "deploy" / "gateway.service"
INSTALLED = "/opt/djangopackages-graphql"
MAX_EXPOSED = 20
"""Tenths of the points, ten at most, that systemd gives for what a service could do; an unprotected one has 96."""


@pytest.fixture
def unit(tmp_path: Path) -> str:
    """Return the unit for this folder, because systemd looks whether the program is there."""
    need("systemd-analyze")
    text = UNIT.read_text(encoding="utf-8").replace(f"{INSTALLED}/.venv/bin/python", sys.executable)
    path = tmp_path / UNIT.name
    path.write_text(text.replace(INSTALLED, str(ROOT)), encoding="utf-8")
    return str(path)


def test_systemd_has_nothing_to_say_of_the_unit(unit: str) -> None:
    assert run("systemd-analyze", "verify", unit) == ""


def test_the_service_is_well_protected(unit: str) -> None:
    run("systemd-analyze", "security", "--offline=yes", f"--threshold={MAX_EXPOSED}", unit)


def test_its_settings_are_settings() -> None:
    names = re.findall(r"^Environment=GATEWAY_(\w+)=", UNIT.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(names) > 3
    assert {name.lower() for name in names} <= ROWS.keys()
