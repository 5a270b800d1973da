"""What a process that runs tests for another one tells it: what each test did, not that its fixtures were made."""

from __future__ import annotations

import pytest
from _pytest.runner import runtestprotocol


def tells_only_what_counts(config: pytest.Config) -> bool:
    """Return whether this is a worker of xdist, and nobody asks how long fixtures take."""
    return hasattr(config, "workerinput") and config.getoption("durations") is None


def run_and_tell_what_counts(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Run a test as pytest does, and report its result, and all else that did not pass.

    pytest sends six messages for each test. These are two, and half of what a test costs that does nothing.
    """
    for report in runtestprotocol(item, log=False, nextitem=nextitem):
        if report.when == "call" or not report.passed:
            item.ihook.pytest_runtest_logreport(report=report)
