"""The programs of the machine that some tests need. A test without its program is skipped; in CI it fails."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

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
    if not mark.exists() or mark.read_bytes() != wanted:
        command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=400)
        assert done.returncode == 0, done.stderr
        mark.write_bytes(wanted)
    return modules
