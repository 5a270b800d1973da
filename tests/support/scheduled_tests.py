"""Decides which tests run in one process, one after another, and which begin first, where several processes run the
tests."""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadScopeScheduling

TOGETHER = ("tests/browser/", "tests/deploy/", "tests/supergraph/")
"""The folders whose tests share what takes long to start or to install: a browser, the programs that check
the files of deploy/, three gateways over three services."""

LONGEST = (
    "tests/browser/",
    "tests/acceptance/test_kill.py",
    "tests/sharing/test_three_replicas.py",
    "tests/supergraph/",
    "tests/catalog/storage/test_sqlite_storage_processes.py",
)
"""What takes longest, mostly by waiting. It begins first, so that the end does not wait for it."""


class ByWhatTheyShare(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
    """Give each process whole files of tests, or whole folders, so that what their tests share is started once."""

    def _split_scope(self, nodeid: str) -> str:
        return shared_by(nodeid)


def shared_by(nodeid: str) -> str:
    """Return the folder or the file whose tests run in one process with this test."""
    return next((folder for folder in TOGETHER if nodeid.startswith(folder)), nodeid.partition("::")[0])


def in_order(items: list[pytest.Item]) -> list[pytest.Item]:
    """Return the longest tests first, then what starts programs and servers and waits for them, then the rest."""
    leaving = {shared_by(item.nodeid) for item in items if item.get_closest_marker("leaves_the_process")}

    def rank(item: pytest.Item) -> int:
        shared = shared_by(item.nodeid)
        if shared in LONGEST:
            return LONGEST.index(shared)
        return len(LONGEST) + (shared not in leaving)

    return sorted(items, key=rank)
