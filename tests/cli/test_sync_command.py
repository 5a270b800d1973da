"""Tests ``server.py sync``, run as a user runs it, against an upstream over HTTP."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.types import Receive, Scope, Send

from catalog.storage.sqlite_storage import Storage
from catalog.storage.storage_port import Stored
from tests.support.command_line import server
from tests.support.http_servers import serving
from upstream.embedded import EmbeddedUpstream, Fault, Poisoned

ROOT = Path(__file__).parent.parent.parent


@dataclass
class Command:
    """The command, with its upstream and its file."""

    embedded: EmbeddedUpstream
    address: str
    file: Path

    def run(self, *flags: str) -> subprocess.CompletedProcess[str]:
        own = {"GATEWAY_STORAGE": str(self.file), "COLUMNS": "120"}
        return server("sync", "--upstream", self.address, *flags, **own)

    def summary(self, stderr: str = "") -> list[str]:
        """Return what it prints below its progress, when all is well."""
        done = self.run()
        assert (done.returncode, done.stderr) == (0, stderr)
        lines = done.stdout.splitlines()
        return lines[next(n for n, line in enumerate(lines) if line.startswith("Version ")) :]

    def stored(self) -> Stored | None:
        with closing(Storage(str(self.file))) as storage:
            return storage.load()


@pytest.fixture
def served() -> Iterator[tuple[EmbeddedUpstream, str]]:
    embedded = EmbeddedUpstream(packages=300)
    with serving(embedded) as address:
        yield embedded, f"{address}/api/v4/"


@pytest.fixture
def command(served: tuple[EmbeddedUpstream, str], tmp_path: Path) -> Command:
    return Command(*served, tmp_path / "catalog.sqlite")


@pytest.fixture
def crawled(command: Command) -> Command:
    """Run the command once, so that there is a stored catalog."""
    assert command.run().returncode == 0
    return command


def test_the_first_shows_its_progress_and_what_there_is(command: Command) -> None:
    done = command.run()
    assert (done.returncode, done.stderr) == (0, "")
    packages, grids, categories, *summary = done.stdout.splitlines()
    # 300 records on three pages, and a look whether they have changed since.
    assert re.search(r"^packages +\S+ 300/300 +pages 4 +[\d,]+ a second +0:00:00$", packages)
    assert re.search(r"^grids +\S+ 24/24 +pages 2 ", grids)
    assert re.search(r"^categories +\S+ 6/6 +pages 2 ", categories)
    stored = command.stored()
    assert stored is not None
    assert summary == [
        f"Version {stored.version.partition(' ')[2]}: 300 packages, 24 grids, 6 categories.",
        "There was no catalog before.",
    ]


def test_one_of_the_same_says_that_nothing_has_changed(crawled: Command) -> None:
    before = crawled.stored()
    assert crawled.summary()[1:] == ["Nothing has changed."]
    after = crawled.stored()
    assert before is not None
    assert after is not None
    assert after.version == before.version
    assert after.refreshed_at > before.refreshed_at


def test_one_of_something_else_tells_what_was_added_changed_and_removed(crawled: Command) -> None:
    catalog = crawled.embedded.catalog
    removed = next(row for row in catalog.packages.values() if not row.grids and row.id != 1599)
    catalog.remove_package(removed.id)
    catalog.update_package(1599, title="renamed", repo_watchers=7)
    for number in range(22):
        catalog.insert_package(slug=f"new-{number}")
    catalog.update_grid(15, description="new")
    first = max(catalog.packages) - 21
    assert crawled.summary()[1:] == [
        "Added: 22",
        *(f"  package {first + number} new-{number}" for number in range(20)),
        "  and 2 more",
        "Changed: 2",
        "  package 1599 django-celery-email: title, repo_watchers",
        "  grid 15 email: description",
        "Removed: 1",
        f"  package {removed.id} {removed.slug}",
    ]


def test_what_cannot_be_read_is_told_and_kept(crawled: Command) -> None:
    newest = max(crawled.embedded.catalog.packages)
    crawled.embedded.faults.add(Fault(Poisoned(newest)))
    assert crawled.summary(stderr="upstream cannot serve its packages at offsets [0]\n")[1:] == [
        "1 record could not be read and keeps its last good version.",
        "Nothing has changed.",
    ]
    crawled.embedded.faults.clear()


def test_an_upstream_that_is_down_is_one_sentence_and_what_is_stored_stays(crawled: Command) -> None:
    before = crawled.stored()
    crawled.embedded.faults.state = "maintenance"
    done = crawled.run()
    crawled.embedded.faults.clear()
    assert (done.returncode, done.stdout.strip()) == (1, "")
    assert done.stderr == (
        "The crawl failed, and the stored catalog stays: Upstream answered /packages/ with status 503.\n"
    )
    assert crawled.stored() == before is not None


def test_a_file_that_cannot_be_written_is_one_sentence(command: Command, tmp_path: Path) -> None:
    done = Command(command.embedded, command.address, tmp_path).run()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"The catalog file {tmp_path} cannot be used: it is a directory.\n"


def test_a_file_that_breaks_while_upstream_is_read_is_one_sentence(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "breaking.sqlite"

    async def breaking(scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") == "/api/v4/categories/" and file.is_file():
            file.unlink()
            file.mkdir()
        await command.embedded(scope, receive, send)

    with serving(breaking) as address:
        done = Command(command.embedded, f"{address}/api/v4/", file).run()
    assert done.returncode == 1
    assert done.stderr == (
        f"The catalog file {file} cannot be used: it is a directory.\n"
        "The catalog was crawled but could not be stored.\n"
    )


def test_a_catalog_that_has_lost_much_is_refused_until_it_is_accepted(crawled: Command) -> None:
    before = crawled.stored()
    catalog = crawled.embedded.catalog
    lost = [row for row in catalog.packages.values() if not row.grids][:50]
    known = len(catalog.packages)
    for row in lost:
        catalog.remove_package(row.id)
    done = crawled.run()
    assert done.returncode == 1
    assert done.stderr == (
        f"Upstream has lost 50 of {known} packages since the last crawl. The crawl is refused, and the "
        "previous catalog stays. "
        "If the new catalog is right, `python server.py catalog accept` accepts it.\n"
    )
    assert crawled.stored() == before is not None
    done = crawled.run("--accept")
    assert done.returncode == 0
    assert "Removed: 50" in done.stdout.splitlines()
    after = crawled.stored()
    assert after is not None
    assert len(after.packages) == known - 50
