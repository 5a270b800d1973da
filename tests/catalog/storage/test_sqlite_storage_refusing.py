"""Tests a catalog file that cannot be written: one process leads, reads go on, and what is not saved is saved later."""

from __future__ import annotations

import resource
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from catalog.storage.sqlite_storage import Storage
from tests.support.crawls import asked
from tests.support.settings_for_tests import SCHEDULE
from tests.support.stored_catalogs import A, save
from tests.support.sync_in_process import catalog_of, following, syncing, until
from upstream.embedded import EmbeddedUpstream

ROOT = Path(__file__).parents[3]

OFTEN = replace(SCHEDULE, crawl=3600, newest=3600, lease=0.03, look=0.01)
"""The lease is renewed, and what could not be stored is stored, every hundredth of a second."""

TAKE_AND_STAY = """
import sys
from catalog.storage.sqlite_storage import Storage
storage = Storage(sys.argv[1])
print(storage.take_lease("process", 0), flush=True)
sys.stdin.read()
"""


@contextmanager
def full_disk() -> Iterator[None]:
    """While nothing can be written to files."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@contextmanager
def write_locked(path: Path) -> Iterator[None]:
    """While another program writes."""
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.execute("ROLLBACK")


# Who leads


def test_of_several_processes_one_leads_while_nothing_can_be_written(path: Path) -> None:
    with closing(Storage(str(path))) as one, closing(Storage(str(path))) as other, full_disk():
        assert [one.take_lease("one", 600), other.take_lease("other", 600)] == [True, False]
        assert [other.take_lease("other", 600), one.take_lease("one", 600)] == [False, True]
    with closing(Storage(str(path))) as third:
        assert third.take_lease("third", 600)


def test_whoever_led_before_goes_on_leading(path: Path) -> None:
    with closing(Storage(str(path))) as one, closing(Storage(str(path))) as other:
        assert one.take_lease("one", 0)  # it has run out when the other wants it
        with full_disk():
            assert not other.take_lease("other", 600)
            assert one.take_lease("one", 600)


def test_a_leader_that_is_killed_is_replaced_while_nothing_can_be_written(path: Path) -> None:
    with closing(Storage(str(path))) as other:
        command = [sys.executable, "-c", TAKE_AND_STAY, str(path)]
        with subprocess.Popen(
            command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "True\n"
            with full_disk():
                # Its lease has run out, and cannot be renewed.
                assert not other.take_lease("other", 600)
                process.kill()
                process.wait()
                assert other.take_lease("other", 600)


def test_a_refused_lease_is_logged_once(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with closing(Storage(str(path))) as storage:
        for _ in range(2):
            with full_disk():
                assert [storage.take_lease("one", 600) for _ in range(5)] == [True] * 5
            assert storage.take_lease("one", 600)
    assert caplog.messages == [f"The catalog file {path} cannot be used: disk I/O error."] * 2


async def test_of_two_gateways_one_crawls_while_nothing_can_be_written(
    embedded: EmbeddedUpstream, path: Path
) -> None:
    unasked = EmbeddedUpstream(catalog=embedded.catalog)
    async with AsyncExitStack() as stack:
        leader = await stack.enter_async_context(syncing(embedded, path, schedule=OFTEN))
        other = await stack.enter_async_context(syncing(unasked, path, schedule=OFTEN))
        with full_disk():
            await stack.enter_async_context(following(leader))
            await until(lambda: leader.snapshot)
            await stack.enter_async_context(following(other))
            for title in ("second", "third"):
                embedded.catalog.update_package(1599, title=title)
                leader.want()
                await until(lambda title=title: catalog_of(leader).packages[1599].title == title)  # type: ignore[misc]
            assert unasked.requests.total == 0
        # What it found meanwhile is saved as soon as that is possible, and the other has it.
        await until(lambda: other.snapshot and catalog_of(other).version == catalog_of(leader).version)
        assert unasked.requests.total == 0


async def test_what_could_not_be_stored_is_stored_without_another_crawl(
    embedded: EmbeddedUpstream, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with syncing(embedded, path, schedule=OFTEN) as sync, following(sync):
        with full_disk():
            await until(lambda: len(caplog.messages) == 2)
            requests = asked(embedded)
            assert sync.snapshot is not None
        await until(lambda: packages_in(path) == 300)
        await until(lambda: len(caplog.messages) == 3)
        assert asked(embedded) == requests
    refused = f"The catalog file {path} cannot be used: disk I/O error."
    assert caplog.messages == [refused, refused, "The catalog could be stored again."]


def packages_in(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM records WHERE kind = 'package'").fetchone()
    return int(count)


def test_whoever_hangs_is_replaced_when_its_lease_has_been_over_for_as_long_as_it_was(path: Path) -> None:
    """It hangs, so it keeps the substitute."""
    with closing(Storage(str(path))) as one, closing(Storage(str(path))) as other:
        assert one.take_lease("one", 0)
        assert not other.take_lease("other", 600)
        assert other.take_lease("other", 0)
        assert other.take_lease("other", 600)
        assert not one.take_lease("one", 600)


# Who reads


def test_reads_do_not_wait_for_a_lease_that_waits(storage: Storage, path: Path) -> None:
    save(storage, A)
    with ThreadPoolExecutor(1) as thread:
        with write_locked(path):
            waiting = thread.submit(storage.take_lease, "one", 600)
            assert storage.load() == A
            assert storage.changes(0, 10).feed
            assert storage.saved() == ("A", A.refreshed_at)
            assert not waiting.done()
        assert waiting.result()
