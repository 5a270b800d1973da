"""Tests the crawl lease: one process at a time, whatever happens to the one that has it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.storage.sqlite_storage import Storage

ROOT = Path(__file__).parents[3]
TAKE_AND_STAY = """
import sys
from catalog.storage.sqlite_storage import Storage
path, holder, seconds = sys.argv[1:]
print(Storage(path).take_lease(holder, float(seconds)), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "catalog.sqlite")


@pytest.fixture
def storage(path: str) -> Iterator[Storage]:
    storage = Storage(path)
    yield storage
    storage.close()


def take_in_a_process(path: str, holder: str, seconds: float) -> subprocess.Popen[str]:
    """Return a process that takes the lease, prints whether it got it, and stays until its input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", TAKE_AND_STAY, path, holder, str(seconds)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_one_of_several_processes_gets_it(path: str) -> None:
    processes = [take_in_a_process(path, f"worker {number}", 600) for number in range(4)]
    answers = [process.communicate(timeout=60)[0].strip() for process in processes]
    assert sorted(answers) == ["False", "False", "False", "True"]


def test_the_holder_renews_it_and_others_wait(storage: Storage) -> None:
    assert storage.take_lease("one", 600)
    assert not storage.take_lease("two", 600)
    assert storage.take_lease("one", 600)
    assert not storage.take_lease("two", 600)


def test_a_renewal_counts_from_now(storage: Storage) -> None:
    assert storage.take_lease("one", 600)
    assert storage.take_lease("one", 0)
    assert storage.take_lease("two", 600)
    assert not storage.take_lease("one", 600)


def test_the_lease_of_a_killed_process_expires(storage: Storage, path: str) -> None:
    began = time.time()
    with take_in_a_process(path, "one", 1.0) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        process.kill()
    while not storage.take_lease("two", 1.0):
        assert time.time() < began + 60, "the lease did not expire"
        time.sleep(0.02)
    assert time.time() >= began + 1.0


def test_a_dropped_lease_is_free_at_once(storage: Storage) -> None:
    assert storage.take_lease("one", 600)
    storage.drop_lease("one")
    assert storage.take_lease("two", 600)


def test_only_its_holder_drops_it(storage: Storage) -> None:
    assert storage.take_lease("one", 600)
    storage.drop_lease("two")
    assert not storage.take_lease("two", 600)


def test_a_lease_given_while_the_clock_was_wrong_does_not_last_for_years(storage: Storage) -> None:
    assert storage.take_lease("one", 1e9)
    assert storage.take_lease("two", 10)


def test_it_survives_its_holder_closing_the_file(storage: Storage, path: str) -> None:
    other = Storage(path)
    assert other.take_lease("one", 600)
    other.close()
    assert not storage.take_lease("two", 600)


def test_it_works_in_memory() -> None:
    storage = Storage(":memory:")
    assert storage.take_lease("one", 600)
    assert not storage.take_lease("two", 600)
    storage.close()
