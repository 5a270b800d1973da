"""Tests that a storage which cannot be used is told of once, whichever use of it fails."""

from __future__ import annotations

import pytest

from catalog.sync.storage_failures import StorageFailures
from upstream.client import StorageUnavailable


def test_a_reason_is_logged_once_for_all_uses(caplog: pytest.LogCaptureFixture) -> None:
    failures, error = StorageFailures(), StorageUnavailable("here.sqlite", "it is a directory")
    for _ in range(3):
        failures.failed("storing", error)
        failures.failed("reading", error)
        failures.failed("leading", error)
    assert caplog.messages == [str(error)]
    assert failures.reason == "it is a directory"


def test_it_is_usable_again_when_every_use_works(caplog: pytest.LogCaptureFixture) -> None:
    failures, error = StorageFailures(), StorageUnavailable("here.sqlite", "it is a directory")
    failures.failed("storing", error)
    failures.failed("reading", error)
    failures.worked("storing")
    assert caplog.messages == [str(error)]
    failures.worked("reading")
    assert caplog.messages == [str(error), "The storage can be used again."]
    failures.failed("reading", error)
    assert caplog.messages[2:] == [str(error)]
