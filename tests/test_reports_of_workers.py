"""A process that runs tests for another leaves out only reports of fixtures that were made and ended."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

HOOK = """
import pytest
from tests.support.reports_of_workers import run_and_tell_what_counts

def pytest_runtest_protocol(item, nextitem):
    run_and_tell_what_counts(item, nextitem)
    return True
"""
TESTS = """
import pytest

@pytest.fixture
def not_made():
    raise RuntimeError

@pytest.fixture
def not_ended():
    yield
    raise RuntimeError

def test_that_passes(): pass
def test_that_fails(): assert False
def test_without_its_fixture(not_made): pass
def test_before_its_fixture_ends(not_ended): pass
def test_that_does_not_run(): pytest.skip()

@pytest.mark.skip
def test_that_is_never_begun(): pass
"""


def test_what_passes_is_reported_once_and_all_else_too(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(HOOK)
    pytester.makepyfile(TESTS)
    reports = pytester.inline_run("--disable-plugin-autoload").getreports("pytest_runtest_logreport")
    assert [(report.nodeid.partition("::")[2], report.when, report.outcome) for report in reports] == [
        ("test_that_passes", "call", "passed"),
        ("test_that_fails", "call", "failed"),
        ("test_without_its_fixture", "setup", "failed"),
        ("test_before_its_fixture_ends", "call", "passed"),
        ("test_before_its_fixture_ends", "teardown", "failed"),
        ("test_that_does_not_run", "call", "skipped"),
        ("test_that_is_never_begun", "setup", "skipped"),
    ]
