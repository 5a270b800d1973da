"""Provides the programs that some tests need, and what those build. A test without its program is skipped; in CI it
fails.

Tests run in several processes: what they install or build in the project's folders is made by one, while others wait.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

REQUIRED = "GATEWAY_TESTS_NEED_ALL"
"""The environment variable that makes a missing program a failure."""


def need(*programs: str) -> None:
    """Skip the test, or fail it where nothing may be missing, without these programs."""
    missing = [program for program in programs if shutil.which(program) is None]
    if not missing:
        return
    sentence = f"{' and '.join(missing)} is not installed"
    if os.environ.get(REQUIRED):
        pytest.fail(f"{sentence}, and {REQUIRED} is set")
    pytest.skip(sentence)


def npm_install(folder: Path) -> Path:
    """Install what ``folder``'s package.json names, once for each state of it. Gives its node_modules."""
    need("node", "npm")
    wanted = (folder / "package.json").read_bytes()
    modules = folder / "node_modules"
    mark = modules / ".installed"
    with alone_in(folder):
        if not mark.exists() or mark.read_bytes() != wanted:
            command = [
                "npm",
                "install",
                "--prefer-offline",
                "--no-package-lock",
                "--no-audit",
                "--no-fund",
                "--loglevel=error",
            ]
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=400, check=False
            )
            assert done.returncode == 0, done.stderr
            mark.write_bytes(wanted)
    return modules


def make(target: str) -> None:
    """Bring what a target of the Makefile builds with npm up to date."""
    need("make", "node", "npm")
    # With the virtual environment that runs this test, so that there is nothing to set up.
    command = ["make", f"VENV={sys.prefix}", target]
    with alone_in(ROOT):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other process of the tests builds in this folder, and keep them out."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
