"""Tells pytest how the tests run: in which order and which processes, in which loops, and with which fixtures."""

from __future__ import annotations

import gc
import signal
import sys
from typing import Any

import pytest
from hypothesis import settings

from tests.support.event_loops import LoopWithSharedThreads
from tests.support.numbers_of_examples import ALL_EXAMPLES
from tests.support.reports_of_workers import run_and_tell_what_counts, tells_only_what_counts
from tests.support.scheduled_tests import ByWhatTheyShare, in_order
from tests.support.tests_that_leave_the_process import leaves_the_process
from tests.support.virtual_time import LoopInVirtualTime

settings.register_profile("quick", max_examples=ALL_EXAMPLES // 5)


def pytest_configure(config: pytest.Config) -> None:
    """Import the fixtures, and with them the product, unless other processes run the tests for this one: they start
    only when it is ready."""
    if not config.getoption("numprocesses", None) or hasattr(config, "workerinput"):
        config.pluginmanager.import_plugin("tests.support.upstream_and_gateway_fixtures")


def pytest_sessionstart() -> None:
    """Let Ctrl-C end the tests as before, by a function that ``asyncio`` does not know.

    It would replace Python's own whenever a loop runs and put it back afterwards, ten times in a test that does nothing
    else, which takes as long as half of the rest of such a test.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def pytest_collection() -> None:
    """Import the tests without the garbage collector, which would find next to nothing."""
    gc.disable()
    # httpx looks for this package at each request to an app in this process, in every folder that Python imports from.
    # The entry says that it is not installed, as is so.
    sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that leave the process, so that they can be left out, and let the longest begin first."""
    for item in items:
        if isinstance(item, pytest.Function) and leaves_the_process(item):
            item.add_marker("leaves_the_process")
    items[:] = in_order(items)


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, type[LoopWithSharedThreads]]:
    """Run the tests in loops that share their threads, and in virtual time where they ask for it."""
    if item.get_closest_marker("virtual_time"):
        return {"virtual time": LoopInVirtualTime}
    return {"shared threads": LoopWithSharedThreads}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep together what shares something, where ``--dist loadscope`` asks for it."""
    return ByWhatTheyShare(config, log) if config.getvalue("dist") == "loadscope" else None


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Report less where several processes run the tests, which costs more than most tests."""
    if not tells_only_what_counts(item.config):
        return None
    run_and_tell_what_counts(item, nextitem)
    return True


def pytest_collection_finish() -> None:
    """Keep the garbage collector from looking through the modules and the collected tests, not even once: their garbage
    is a few megabytes, and to find it takes as long as fifty tests."""
    gc.freeze()
    gc.enable()
    # Parsed documents have cycles. To look for garbage often, while it is still in the processor's cache, takes half of
    # the time that it takes after every 10,000 objects, and what runs in between is faster too.
    gc.set_threshold(2_000, 20, 50)
