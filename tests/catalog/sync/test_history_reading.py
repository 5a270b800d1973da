"""Long reads of history come one after another, and the threads that others need stay free."""

from __future__ import annotations

import asyncio
from contextlib import closing, suppress
from pathlib import Path

from catalog.history import ChangeFilter, TooManyRebuilds
from catalog.storage.sqlite_storage import Storage
from catalog.sync.history_reader import HistoryReader
from tests.support.made_records import catalog_of, package
from tests.support.sync_in_process import until
from tests.support.versioned_catalogs import BEGIN, Clock, keep

CALLERS = 50
REFUSED = (
    "Too many different versions of the catalog were asked for, and each has to be rebuilt or compared. Try again in "
    "10 seconds."
)


async def test_many_callers_who_leave_keep_no_thread_but_one(tmp_path: Path) -> None:
    """Hold up the reads with a lock that SQLite waits for, while callers come and leave."""
    path, clock = tmp_path / "catalog.sqlite", Clock()
    with closing(Storage(str(path), now=clock)) as storage:
        keep(storage, catalog_of(package(1, repo_watchers=1)), clock.moment)
        keep(storage, catalog_of(package(1, repo_watchers=2)), clock.go(hours=1))
        reader = HistoryReader(storage)
        wanted = ChangeFilter(most=9, fields=frozenset({"repo_watchers"}))

        async def changes() -> int:
            (found,) = await reader.changes_of("package", [1], wanted)
            return len(found)

        with storage.history._bulk_reader.reading():
            for _ in range(CALLERS):
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.001):
                        await changes()
            # Were each of them in a thread, there would be none left for this, until the first ones gave up after 5 s.
            async with asyncio.timeout(4.5):
                assert await reader.begins() == BEGIN
        assert await changes() == 1


async def test_a_difference_that_whoever_asked_did_not_wait_for_is_kept_for_the_next(tmp_path: Path) -> None:
    path, clock = tmp_path / "catalog.sqlite", Clock()
    with closing(Storage(str(path), now=clock)) as storage:
        keep(storage, catalog_of(package(1, repo_watchers=1)), clock.moment)
        keep(storage, catalog_of(package(1, repo_watchers=2)), clock.go(hours=1))
        reader = HistoryReader(storage)
        with storage.history._bulk_reader.reading():
            asking = asyncio.create_task(reader.packages_between(BEGIN, None))
            await until(lambda: reader.comparisons.begun)
            asking.cancel()
            await asyncio.wait([asking])
            assert asking.cancelled()
        found = await reader.packages_between(BEGIN, None)
        assert await reader.packages_between(BEGIN, None) is found
        assert reader.comparisons.begun == 1
        assert found.packages[0].after == {"repo_watchers": 2}


async def test_a_file_in_the_place_of_another_has_differences_of_its_own(tmp_path: Path) -> None:
    """Numbers of versions begin anew there, so that they mean something else."""
    path, clock = tmp_path / "catalog.sqlite", Clock()
    with closing(Storage(str(path), now=clock)) as storage:
        reader = HistoryReader(storage)
        for stars in (10, 20):
            for each in (stars, stars + 1):
                keep(storage, catalog_of(package(1, repo_watchers=each)), clock.go(hours=1))
            newest, before = storage.history.versions(2)
            assert (before.number, newest.number) == (1, 2)
            (delta,) = (await reader.packages_between(before.at, None)).packages
            assert delta.after == {"repo_watchers": stars + 1}
            for suffix in ("-wal", "-shm", ""):
                (tmp_path / f"catalog.sqlite{suffix}").unlink(missing_ok=True)


async def test_two_hundred_different_moments_are_a_few_comparisons_of_versions(tmp_path: Path) -> None:
    path, clock = tmp_path / "catalog.sqlite", Clock()
    with closing(Storage(str(path), now=clock)) as storage:
        moments = []
        for stars in range(200):
            keep(storage, catalog_of(package(1, repo_watchers=stars)), clock.go(hours=1))
            moments.append(clock.moment)
        seconds = 0.0
        reader = HistoryReader(storage, clock=lambda: seconds)

        async def compared() -> int:
            """Ask from each moment on, and return how many are answered."""
            asked = [reader.packages_between(moment, None) for moment in moments]
            found = await asyncio.gather(*asked, return_exceptions=True)
            refused = [each for each in found if isinstance(each, BaseException)]
            assert [(type(each), str(each)) for each in refused] == [(TooManyRebuilds, REFUSED)] * len(
                refused
            )
            return len(found) - len(refused)

        assert await compared() == reader.comparisons.begun == 6
        # What was compared is known, and costs nothing.
        assert await compared() == 6
        seconds = 20.0
        assert await compared() == 8
        assert reader.comparisons.begun == 8
