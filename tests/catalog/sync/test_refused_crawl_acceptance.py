"""Tests when the guard accepts an implausible catalog after all, and what it tells of one that it refuses."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from catalog.indexed_catalog import Catalog
from catalog.sync.crawl_guard import CatalogRefused, Guard
from catalog.sync.crawl_report import CrawlReport
from tests.support.batcher_with_held_answers import Clock
from tests.support.guarded_catalogs import candidate_of, catalog_of, check, various
from tests.support.settings_for_tests import GUARD_LIMITS
from upstream.client.upstream_errors import ContradictoryList

DAY = 86400


# What is accepted


@pytest.mark.parametrize("left", [1, 50, 500])
def test_what_crawls_agree_on_for_a_day_is_accepted(guard: Guard, clock: Clock, left: int) -> None:
    before, after = catalog_of(range(600)), catalog_of(range(left))
    for hour in range(24):
        assert check(guard, before, after) != ""
        assert guard.refused is not None
        assert guard.refused.agreed_seconds == hour * 3600
        clock.now += 3600
    assert check(guard, before, after) == ""
    assert guard.refused is None


def test_a_patience_of_0_accepts_nothing_by_itself(clock: Clock) -> None:
    guard = Guard(replace(GUARD_LIMITS, patience=0), clock)
    before, after = catalog_of(range(600)), catalog_of(range(60))
    for _ in range(100):
        assert check(guard, before, after) != ""
        clock.now += DAY


@pytest.mark.parametrize(
    "empty", [catalog_of(()), catalog_of(range(600), categories=0)], ids=["no packages", "no categories"]
)
def test_an_empty_catalog_is_accepted_by_an_operator_alone(
    guard: Guard, clock: Clock, empty: Catalog
) -> None:
    before = catalog_of(range(600))
    for _ in range(48):
        assert check(guard, before, empty) != ""
        clock.now += 3600
    assert check(guard, before, empty, accept=True) == ""


def test_a_plausible_catalog_in_between_begins_the_day_anew(guard: Guard, clock: Clock) -> None:
    before, after = catalog_of(range(600)), catalog_of(range(60))
    assert check(guard, before, after) != ""
    clock.now += DAY
    assert check(guard, before, catalog_of(range(599))) == ""
    assert check(guard, before, after) != ""
    clock.now += DAY - 1
    assert check(guard, before, after) != ""


def test_crawls_that_find_other_packages_gone_do_not_agree(guard: Guard, clock: Clock) -> None:
    before = catalog_of(range(600))
    older, newer, none = catalog_of(range(300)), catalog_of(range(300, 600)), catalog_of(())
    for _ in range(5):
        for after in (older, newer, none):
            assert check(guard, before, after) != ""
            clock.now += DAY


def test_crawls_that_find_other_faults_do_not_agree(guard: Guard, clock: Clock) -> None:
    before = catalog_of(range(600), repo_watchers=various)
    half, without_watchers = catalog_of(range(300), repo_watchers=various), catalog_of(range(600))
    for _ in range(5):
        for after in (half, without_watchers):
            assert check(guard, before, after) != ""
            clock.now += DAY


def test_crawls_agree_even_if_a_few_packages_come_and_go_meanwhile(guard: Guard, clock: Clock) -> None:
    before = catalog_of(range(600))
    assert check(guard, before, catalog_of(range(300))) != ""
    clock.now += DAY
    assert check(guard, before, catalog_of((*range(5, 300), *range(1000, 1010)))) == ""


def test_what_an_operator_accepts_passes_at_once(guard: Guard) -> None:
    before, after = catalog_of(range(600)), catalog_of(range(60))
    assert check(guard, before, after) != ""
    assert check(guard, before, after, accept=True) == ""
    assert guard.refused is None


def test_what_was_accepted_and_stays_passes_until_it_becomes_more(guard: Guard) -> None:
    @cache
    def sharing(number: int) -> Catalog:
        return catalog_of(range(600), slug=lambda id: "shared" if id < number else str(id))

    assert check(guard, sharing(0), sharing(10)) != ""
    assert check(guard, sharing(0), sharing(10), accept=True) == ""
    assert check(guard, sharing(10), sharing(10)) == ""
    assert check(guard, sharing(10), sharing(9)) == ""
    later = Guard(GUARD_LIMITS)
    later.recall(guard.state)
    assert check(later, sharing(10), sharing(10)) == ""
    assert check(later, sharing(10), sharing(20)) != ""
    assert check(later, sharing(10), sharing(0)) == ""
    assert check(later, sharing(0), sharing(10)) != ""


def test_a_list_that_cannot_be_read_to_its_end_is_never_accepted_by_waiting(
    guard: Guard, clock: Clock
) -> None:
    known = catalog_of(range(600))
    error = ContradictoryList("Upstream's packages changed during each of 5 readings.")
    for _ in range(5):
        refused = guard.refuse(error, len(known.packages))
        assert (refused.crawl.reason, refused.difference) == (str(error), None)
        assert not refused.crawl.is_whole
        clock.now += DAY
    assert check(guard, known, known) == ""


# What is told


def test_a_refusal_is_new_until_crawls_agree_on_it(guard: Guard) -> None:
    before = catalog_of(range(600))
    told = []
    for left in (300, 300, 299, 100, 300):
        with pytest.raises(CatalogRefused) as refused:
            guard.check(candidate_of(before, catalog_of((*range(left), 1000))))
        crawl = refused.value.crawl
        assert (crawl.known, crawl.read, crawl.added, crawl.changed) == (600, left + 1, 1, 0)
        assert crawl.removed == 600 - left
        told.append(refused.value.is_new)
    assert told == [True, False, False, True, True]


def test_what_is_kept_aside_leads_from_the_known_catalog_to_the_refused_one(guard: Guard) -> None:
    before = catalog_of(range(100), 2, repo_watchers=various)
    after = catalog_of(range(50, 120), 3, repo_watchers=lambda id: id // 2)
    with pytest.raises(CatalogRefused) as refused:
        guard.check(candidate_of(before, after))
    assert refused.value.difference is not None
    assert refused.value.difference.applied_to(before).version == after.version
    with pytest.raises(CatalogRefused) as refused:
        guard.check(candidate_of(None, after, CrawlReport(600, 0, 0, 1)))
    assert refused.value.difference is not None
    assert refused.value.difference.applied_to(None).version == after.version
