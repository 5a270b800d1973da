"""Tests that the gateway cannot be installed as a package, and that the refusal says what to do instead."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.forked_programs import ROOT

SENTENCE = (
    "djangopackages-graphql is an application that runs from its own folder, so it cannot be installed as a package. "
    "`make run` sets it up there and starts it. Without make, `pip install --require-hashes -r requirements/run.txt` "
    "installs what it needs, and `python server.py serve` starts it."
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a copy of what an installer reads, in a folder of its own that it may write to."""
    folder = tmp_path / "project"
    (folder / "requirements").mkdir(parents=True)
    for name in ("pyproject.toml", "README.md", "requirements/refused_installation.py"):
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.mark.parametrize("what", [["."], ["--editable", "."]], ids=["package", "editable"])
def test_an_installer_is_refused_with_a_sentence(project: Path, tmp_path: Path, what: list[str]) -> None:
    uv = str(Path(sys.executable).with_name("uv"))
    target = tmp_path / "site-packages"
    command = [uv, "pip", "install", "--no-deps", "--offline", "--no-cache", "--target", str(target), *what]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    # uv breaks its lines.
    assert SENTENCE in " ".join(done.stderr.split())
    assert not list(target.glob("djangopackages*"))


def test_the_sentence_names_commands_that_exist() -> None:
    assert (ROOT / "requirements" / "run.txt").exists()
    assert "\nrun:" in (ROOT / "Makefile").read_text(encoding="utf-8")
