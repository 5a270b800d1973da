"""Tests several processes at one catalog file: whole after every kill, and the old or the new to every reader."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from catalog.storage.sqlite_storage import Storage
from tests.support.forked_programs import ForkedProgram
from tests.support.stored_catalogs import A, B, begin, save, stored_in

ROOT = Path(__file__).parents[3]

Saving = Callable[[], ForkedProgram]

SAVE_ALTERNATELY = """
import sys
from catalog.storage.sqlite_storage import Storage
path, *others = sys.argv[1:]
catalogs = [vars(Storage(other).load()) for other in others]
print("ready", flush=True)
storage = Storage(path)
while True:
    for catalog in catalogs:
        storage.save(**catalog)
"""


@pytest.fixture
def saving(path: Path) -> Saving:
    """Starts a process that saves A and B alternately."""
    others = [path.with_name(name) for name in ("a.sqlite", "b.sqlite")]
    for other, catalog in zip(others, (A, B), strict=True):
        begin(other, catalog)

    def start() -> ForkedProgram:
        process = ForkedProgram(["-c", SAVE_ALTERNATELY, *map(str, (path, *others))], os.environ)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    return start


def end(process: ForkedProgram) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)


def test_a_save_killed_at_any_moment_leaves_the_old_or_the_new(
    path: Path, saving: Saving, caplog: pytest.LogCaptureFixture
) -> None:
    begin(path, A)
    for _ in range(50):
        process = saving()
        time.sleep(random.uniform(0, 0.03))
        end(process)
        assert stored_in(path) in (A, B)
    assert caplog.messages == []  # nothing was set aside


def test_readers_and_savers_see_whole_catalogs(storage: Storage, saving: Saving) -> None:
    save(storage, A)
    seen: set[str] = set()
    deadline = time.monotonic() + 60
    one, other = saving(), saving()
    try:
        while seen != {"A", "B"}:
            assert time.monotonic() < deadline, "the other processes saved nothing"
            for _ in range(20):
                loaded = storage.load()
                assert loaded in (A, B)
                seen.add(loaded.version)
        assert (one.poll(), other.poll()) == (None, None)
    finally:
        end(one)
        end(other)


def test_a_reader_does_not_wait_for_a_save_and_sees_the_old(storage: Storage, path: Path) -> None:
    save(storage, A)
    with closing(sqlite3.connect(path, isolation_level=None)) as saver:
        saver.execute("BEGIN IMMEDIATE")
        saver.execute("DELETE FROM records")
        assert storage.load() == A
        assert storage.saved() == ("A", A.refreshed_at)
        saver.execute("COMMIT")
    assert storage.load() is None


def test_saved_notices_another_process(storage: Storage, path: Path) -> None:
    save(storage, A)
    begin(path.with_name("b.sqlite"), B)
    code = "import sys; from catalog.storage.sqlite_storage import Storage; path, other = map(Storage, sys.argv[1:])"
    code += "; path.save(**vars(other.load()))"
    subprocess.run([sys.executable, "-c", code, path, path.with_name("b.sqlite")], cwd=ROOT, check=True)
    assert storage.saved() == ("B", B.refreshed_at)
    assert storage.load() == B
