"""Tests ``server.py catalog``, run as an operator runs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from catalog.storage.sqlite_storage import Storage
from tests.support.command_line import server
from tests.support.made_records import catalog_of, category, grid, package
from tests.support.versioned_catalogs import Clock, keep

ONE = catalog_of(package(1, slug="django-one", repo_watchers=5), package(2), grid(7), category(1))
TWO = catalog_of(
    package(1, slug="django-one", repo_watchers=6, title="One"), package(3), grid(7), category(1)
)
THREE = catalog_of(package(1, slug="django-one", repo_watchers=9), package(3), grid(7), category(1))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalog.sqlite"


@pytest.fixture
def storage(path: Path) -> Iterator[Storage]:
    """Return the storage of the embedded upstream, with three versions."""
    clock = Clock()
    with closing(Storage(str(path), now=clock)) as storage:
        for catalog in (ONE, TWO, THREE):
            keep(storage, catalog, clock.go(hours=1), origin="embedded")
        yield storage


def run(path: Path, *arguments: str) -> tuple[int, list[str], list[str]]:
    """Run the command, and return its status, what it prints and what it says is wrong."""
    done = server("catalog", *arguments, GATEWAY_STORAGE=str(path))
    return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()


def prints(path: Path, *arguments: str) -> list[str]:
    status, lines, wrong = run(path, *arguments)
    assert (status, wrong) == (0, [])
    return lines


def test_it_lists_the_versions_with_what_they_have_and_what_they_changed(
    storage: Storage, path: Path
) -> None:
    assert prints(path) == [
        f"{THREE.version}  2026-01-01 15:00:00 UTC  (newest)",
        "  2 packages, 1 grids, 1 categories",
        "  1 changed (title 1, repo_watchers 1)",
        f"{TWO.version}  2026-01-01 14:00:00 UTC",
        "  2 packages, 1 grids, 1 categories",
        "  1 added, 1 changed, 1 removed (title 1, repo_watchers 1)",
        f"{ONE.version}  2026-01-01 13:00:00 UTC",
        "  2 packages, 1 grids, 1 categories",
        "  history begins here",
    ]
    assert prints(path, "--limit", "1")[3:] == [
        "Older ones reach back to 2026-01-01 13:00:00 UTC; --limit lists more."
    ]


def test_without_a_catalog_it_says_so(path: Path) -> None:
    assert prints(path) == ["No catalog is stored."]


def test_diff_shows_what_has_to_happen_from_one_to_the_other(storage: Storage, path: Path) -> None:
    assert prints(path, "diff", ONE.version[:8], THREE.version[:8]) == [
        "Added: 1",
        "  package 3 slug-3",
        "Changed: 1",
        "  package 1 django-one: repo_watchers 5 -> 9",
        "Removed: 1",
        "  package 2 slug-2",
    ]
    assert prints(path, "diff", THREE.version, TWO.version) == [
        "Changed: 1",
        '  package 1 django-one: title "title 1" -> "One", repo_watchers 9 -> 6',
    ]
    assert prints(path, "diff", TWO.version, TWO.version) == ["Nothing is different."]


def test_pin_and_unpin_choose_what_is_served(storage: Storage, path: Path) -> None:
    assert prints(path, "pin", ONE.version[:10]) == [
        f"Version {ONE.version} of 2026-01-01 13:00:00 UTC is pinned. "
        "`python server.py catalog unpin` serves the newest again."
    ]
    pinned = storage.history.pinned()
    assert pinned is not None
    assert pinned.version == ONE.version
    listed = prints(path)
    assert listed[6] == f"{ONE.version}  2026-01-01 13:00:00 UTC  (pinned)"
    assert listed[-1] == f"Version {ONE.version} is pinned: it is served, and crawls only add to the history."
    assert prints(path, "unpin") == [f"Version {ONE.version} is no longer pinned, and the newest is served."]
    assert storage.history.pinned() is None
    assert run(path, "unpin") == (1, [], ["No version is pinned."])


def test_rollback_makes_a_version_the_newest(storage: Storage, path: Path) -> None:
    assert prints(path, "rollback", ONE.version) == [
        f"Version {ONE.version} of 2026-01-01 13:00:00 UTC is the newest again, until a crawl finds another."
    ]
    first, _counts, changed, *_ = prints(path)
    assert first.startswith(f"{ONE.version}  ")
    assert first.endswith("  (newest, rolled back to)")
    assert changed == "  1 added, 1 changed, 1 removed (repo_watchers 1)"
    status, lines, (wrong,) = run(path, "rollback", ONE.version)
    assert (status, lines) == (1, [])
    assert wrong.endswith(" is the newest already.")


def test_a_rollback_behind_a_pin_says_that_the_pin_stays(storage: Storage, path: Path) -> None:
    prints(path, "pin", TWO.version)
    assert prints(path, "rollback", ONE.version)[1:] == ["A version is pinned, and continues to be served."]


@pytest.mark.parametrize("command", [["diff", "xyz", "abc"], ["pin", "xyz"], ["rollback", "xyz"]])
def test_an_unknown_version_is_a_sentence_with_the_range(
    storage: Storage, path: Path, command: list[str]
) -> None:
    assert run(path, *command) == (
        1,
        [],
        ['There is no version "xyz" in the history. History reaches from 2026-01-01T13:00:00Z until now.'],
    )


def test_the_catalog_of_another_upstream_is_refused(storage: Storage, path: Path) -> None:
    status, lines, (wrong,) = run(path, "--upstream", "https://other.test/api/v4/", "unpin")
    assert (status, lines) == (2, [])
    assert "it has the catalog of another upstream" in wrong
