"""Tests processes that `make bench` starts."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from benchmarks.side_by_side.processes import DidNotStart, running
from tests.support.required_programs import need

CORE = min(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0

PARENT = """
import pathlib, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
child.wait()
"""


@pytest.fixture(autouse=True)
def _taskset() -> None:
    need("taskset")


def test_a_process_and_its_children_are_stopped_when_the_block_fails(tmp_path: Path) -> None:
    told = tmp_path / "child"
    command = [sys.executable, "-c", PARENT, str(told)]
    parent = running(
        command, core=CORE, ready=lambda: told.exists() and told.read_text() != "", log=tmp_path / "log"
    )
    process = parent.__enter__()
    assert os.getpgid(int(told.read_text())) == process.group
    assert process.memory() > 0
    stopped = KeyboardInterrupt()
    assert not parent.__exit__(KeyboardInterrupt, stopped, None)
    assert process.memory() == 0


def test_one_that_ends_too_early_is_told_with_its_last_words(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('port taken')"]
    with (
        pytest.raises(DidNotStart, match="did not start: port taken"),
        running(command, core=CORE, ready=lambda: False, log=tmp_path / "log"),
    ):
        pass
