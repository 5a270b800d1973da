"""The cost model: where it starts, and how it follows what is measured (contract section 7)."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upstream.client.request_costs import NOMINAL_SKIPPED, Costs, nominal_detail, nominal_page
from upstream.client.v4_records import CATEGORY, GRID, KINDS, PACKAGE, Kind

each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.singular)
SIZES = (1, 20, 100, 250)


def measure_pages(
    costs: Costs, kind: Kind[Any], sizes: Iterable[int], base: float, each: float, noise: float = 0.0
) -> None:
    """Measure pages whose true cost is a line, to which noise of at most so many seconds adds or not."""
    random = Random(7)
    for records in sizes:
        costs.measured_page(kind, records, base + each * records + random.uniform(-noise, noise))


def sizes_at_random(times: int) -> list[int]:
    random = Random(11)
    return [random.randint(1, 250) for _ in range(times)]


@each_kind
def test_a_detail_starts_at_the_figure_of_the_contract(kind: Kind[Any]) -> None:
    assert Costs().detail(kind) == nominal_detail() == 0.017


@pytest.mark.parametrize(
    ("kind", "base", "each"), [(PACKAGE, 0.012, 0.00035), (GRID, 0.012, 0.0013), (CATEGORY, 0.012, 0.0003)]
)
def test_a_page_starts_at_the_figures_of_the_contract(kind: Kind[Any], base: float, each: float) -> None:
    costs = Costs()
    assert costs.page_parts(kind) == (base, each)
    for records in SIZES:
        assert costs.page(kind, records) == nominal_page(kind, records) == base + each * records


@pytest.mark.parametrize(
    ("kind", "records", "wall_seconds"),
    [
        (PACKAGE, 20, 0.019),
        (PACKAGE, 100, 0.044),
        (GRID, 20, 0.031),
        (GRID, 100, 0.135),
        (CATEGORY, 6, 0.0117),
    ],
)
def test_the_nominal_pages_are_those_that_the_contract_measured(
    kind: Kind[Any], records: int, wall_seconds: float
) -> None:
    assert nominal_page(kind, records) == pytest.approx(wall_seconds, rel=0.25)


@each_kind
def test_a_page_is_its_two_parts(kind: Kind[Any]) -> None:
    costs = Costs()
    measure_pages(costs, kind, sizes_at_random(30), 0.03, 0.0007, noise=0.003)
    base, each = costs.page_parts(kind)
    for records in SIZES:
        assert costs.page(kind, records) == pytest.approx(base + each * records)


def test_the_first_measurement_moves_a_detail_by_a_twentieth() -> None:
    costs = Costs()
    costs.measured_detail(PACKAGE, 0.037)
    assert costs.detail(PACKAGE) == pytest.approx(0.018)


def test_the_first_measurement_of_a_page_is_set_against_the_figures_of_the_contract() -> None:
    costs = Costs()
    nominal = nominal_page(PACKAGE, 100)
    costs.measured_page(PACKAGE, 100, 3 * nominal)
    assert costs.page(PACKAGE, 100) == pytest.approx(2 * nominal, rel=0.05)
    assert costs.page(PACKAGE, 1) == pytest.approx(nominal_page(PACKAGE, 1))


def test_the_newest_measurement_weighs_most() -> None:
    rising, falling = Costs(), Costs()
    measurements = [0.01, 0.02, 0.03]
    for slower, faster in zip(measurements, reversed(measurements), strict=True):
        rising.measured_detail(PACKAGE, slower)
        falling.measured_detail(PACKAGE, faster)
    assert rising.detail(PACKAGE) > falling.detail(PACKAGE)


@each_kind
def test_the_nominal_figures_stay_whatever_is_measured(kind: Kind[Any]) -> None:
    costs = Costs()
    nominal = [nominal_page(kind, records) for records in SIZES]
    costs.measured_detail(kind, 1.0)
    measure_pages(costs, kind, sizes_at_random(30), 1.0, 0.1)
    assert nominal_detail() == 0.017
    assert [nominal_page(kind, records) for records in SIZES] == nominal
    assert Costs().page(kind, 100) == nominal_page(kind, 100)


@each_kind
@pytest.mark.parametrize("true", [0.002, 0.017, 0.3])
def test_a_detail_converges_to_what_details_cost(kind: Kind[Any], true: float) -> None:
    costs, random = Costs(), Random(3)
    for _ in range(300):
        costs.measured_detail(kind, true * random.uniform(0.8, 1.2))
    assert costs.detail(kind) == pytest.approx(true, rel=0.1)


@each_kind
@pytest.mark.parametrize(("base", "each"), [(0.05, 0.002), (0.002, 0.0001), (0.3, 0.00002)])
def test_a_page_converges_to_the_line_that_pages_follow(kind: Kind[Any], base: float, each: float) -> None:
    costs = Costs()
    measure_pages(costs, kind, sizes_at_random(400), base, each)
    assert costs.page_parts(kind) == pytest.approx((base, each), rel=1e-3)


@each_kind
def test_noise_around_a_line_is_evened_out(kind: Kind[Any]) -> None:
    costs = Costs()
    measure_pages(costs, kind, sizes_at_random(400), 0.05, 0.002, noise=0.02)
    for records in SIZES:
        assert costs.page(kind, records) == pytest.approx(0.05 + 0.002 * records, abs=0.01)


def test_a_change_is_followed() -> None:
    costs = Costs()
    for base, each in [(0.05, 0.002), (0.008, 0.0002), (0.4, 0.01)]:
        measure_pages(costs, PACKAGE, sizes_at_random(300), base, each)
        assert costs.page_parts(PACKAGE) == pytest.approx((base, each), rel=0.01)
        for _ in range(300):
            costs.measured_detail(PACKAGE, base)
        assert costs.detail(PACKAGE) == pytest.approx(base, rel=0.01)


def test_a_change_is_half_known_after_fourteen_measurements() -> None:
    costs = Costs()
    measure_pages(costs, PACKAGE, sizes_at_random(300), 0.05, 0.002)
    measure_pages(costs, PACKAGE, sizes_at_random(14), 0.15, 0.002)
    assert costs.page(PACKAGE, 125) == pytest.approx(0.10 + 0.002 * 125, rel=0.05)


# The pages of a crawl are all of one size, so this is what mostly happens.
@pytest.mark.parametrize("seconds", [0.0005, 0.01, 0.0995, 0.2, 0.4, 2.0])
@pytest.mark.parametrize("records", [1, 6, 100, 250])
def test_pages_of_one_size_converge_at_that_size(records: int, seconds: float) -> None:
    costs = Costs()
    for _ in range(400):
        costs.measured_page(PACKAGE, records, seconds)
    assert costs.page(PACKAGE, records) == pytest.approx(seconds, rel=1e-3)


@pytest.mark.parametrize("seed", range(20))
def test_noise_among_pages_of_nearly_one_size_does_not_tilt_the_line_away_from_them(seed: int) -> None:
    costs, random = Costs(), Random(seed)
    for _ in range(400):
        records = random.randint(248, 250)
        costs.measured_page(PACKAGE, records, nominal_page(PACKAGE, records) * random.uniform(0.8, 1.2))
    assert costs.page(PACKAGE, 249) == pytest.approx(nominal_page(PACKAGE, 249), rel=0.1)


def test_pages_of_one_size_leave_the_other_sizes_as_they_were_however_long() -> None:
    costs, random = Costs(), Random(5)
    for _ in range(3000):
        costs.measured_page(PACKAGE, 100, nominal_page(PACKAGE, 100) + random.uniform(-0.004, 0.004))
        assert costs.page(PACKAGE, 1) == pytest.approx(nominal_page(PACKAGE, 1), abs=0.006)


def test_pages_without_records_tell_the_fixed_part() -> None:
    costs = Costs()
    for _ in range(400):
        costs.measured_page(PACKAGE, 0, 0.03)
    assert costs.page(PACKAGE, 0) == pytest.approx(0.03)
    assert costs.page(PACKAGE, 100) > costs.page(PACKAGE, 0)


def test_more_records_never_cost_less() -> None:
    costs = Costs()
    measure_pages(costs, PACKAGE, sizes_at_random(300), 0.5, -0.0015)
    costs_of_pages = [costs.page(PACKAGE, records) for records in SIZES]
    assert costs_of_pages == sorted(costs_of_pages)
    assert costs.page(PACKAGE, 125) == pytest.approx(0.5 - 0.0015 * 125, rel=0.2)


seconds = st.floats(min_value=0.0, max_value=30.0)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6000), seconds, st.integers(0, 6000)), max_size=40))
def test_no_part_of_a_page_is_ever_free(measurements: list[tuple[int, float, int]]) -> None:
    costs = Costs()
    for records, took, skipped in measurements:
        costs.measured_page(PACKAGE, records, took, skipped)
        base, each = costs.page_parts(PACKAGE)
        assert base > 0
        # The planner relies on it that to skip a record is not dearer than to bring it.
        assert each > costs.skipped(PACKAGE) > 0
        assert isfinite(costs.page(PACKAGE, 6000))
        assert costs.page(PACKAGE, 0) > 0


@settings(deadline=None)
@given(st.lists(seconds, max_size=40))
def test_a_detail_is_never_free_and_stays_among_what_was_measured(measurements: list[float]) -> None:
    costs = Costs()
    for took in measurements:
        costs.measured_detail(PACKAGE, took)
        assert costs.detail(PACKAGE) > 0
    known = [*measurements, nominal_detail()]
    assert min(known) <= costs.detail(PACKAGE) * (1 + 1e-9)
    assert costs.detail(PACKAGE) <= max(known) * (1 + 1e-9)


# Pages behind records that are skipped


@pytest.mark.parametrize(("skipped", "least", "most"), [(0, 0.019, 0.023), (5380, 0.060, 0.076)])
def test_a_page_costs_more_behind_skipped_records(skipped: int, least: float, most: float) -> None:
    assert least * 0.95 <= nominal_page(PACKAGE, 20, skipped) <= most


def test_a_crawl_at_the_contracts_pace_measures_the_contracts_figures() -> None:
    costs = Costs()
    for offset in range(0, 5400, 100):
        costs.measured_page(PACKAGE, 100, nominal_page(PACKAGE, 100, offset), offset)
        costs.measured_page(PACKAGE, 20, nominal_page(PACKAGE, 20))
    assert costs.page_parts(PACKAGE) == pytest.approx((0.012, 0.00035))
    assert costs.skipped(PACKAGE) == pytest.approx(NOMINAL_SKIPPED)


@pytest.mark.parametrize("pace", [0.02, 0.5, 1.0])
def test_a_quicker_upstream_is_quicker_with_all_parts_of_a_page(pace: float) -> None:
    costs = Costs()
    for skipped in range(0, 5400, 10):
        records = skipped // 10 % 100 + 1
        costs.measured_page(PACKAGE, records, pace * nominal_page(PACKAGE, records, skipped), skipped)
    assert costs.page_parts(PACKAGE) == pytest.approx((0.012 * pace, 0.00035 * pace), rel=1e-3)
    assert costs.skipped(PACKAGE) == pytest.approx(NOMINAL_SKIPPED * pace, rel=1e-3)


def test_what_a_network_adds_is_in_the_fixed_part() -> None:
    costs, network = Costs(), 0.08
    for skipped in range(0, 5400, 10):
        records = skipped // 10 % 100 + 1
        costs.measured_page(PACKAGE, records, network + nominal_page(PACKAGE, records, skipped), skipped)
    assert costs.page_parts(PACKAGE) == pytest.approx((0.012 + network, 0.00035), rel=1e-3)
    assert costs.skipped(PACKAGE) == pytest.approx(NOMINAL_SKIPPED, rel=1e-3)


def test_a_slower_upstream_is_not_slower_at_skipping() -> None:
    costs = Costs()
    measure_pages(costs, PACKAGE, sizes_at_random(300), 0.1, 0.01)
    assert costs.skipped(PACKAGE) == NOMINAL_SKIPPED


@each_kind
def test_the_kinds_are_separate(kind: Kind[Any]) -> None:
    costs = Costs()
    costs.measured_detail(kind, 0.5)
    costs.measured_page(kind, 50, 0.5)
    assert [other for other in KINDS if costs.detail(other) != nominal_detail()] == [kind]
    assert [other for other in KINDS if costs.page(other, 50) != nominal_page(other, 50)] == [kind]


def test_what_was_never_measured_is_as_much_slower_as_what_was() -> None:
    details, pages = Costs(), Costs()
    for _ in range(300):
        details.measured_detail(PACKAGE, 3 * nominal_detail())
        pages.measured_page(PACKAGE, 100, 3 * nominal_page(PACKAGE, 100))
    assert details.page_parts(PACKAGE) == pytest.approx((0.036, 0.00105), rel=0.01)
    assert pages.detail(PACKAGE) == pytest.approx(3 * nominal_detail(), rel=0.01)


def test_the_first_measurement_of_pages_is_set_against_the_pace_of_details() -> None:
    costs = Costs()
    for _ in range(300):
        costs.measured_detail(PACKAGE, 3 * nominal_detail())
    before = costs.page_parts(PACKAGE)
    costs.measured_page(PACKAGE, 100, 3 * nominal_page(PACKAGE, 100))
    assert costs.page_parts(PACKAGE) == pytest.approx(before, rel=0.01)


def test_details_and_pages_are_separate_once_both_were_measured() -> None:
    costs = Costs()
    costs.measured_detail(PACKAGE, 0.5)
    costs.measured_page(PACKAGE, 50, 0.5)
    detail = costs.detail(PACKAGE)
    costs.measured_page(PACKAGE, 50, 0.9)
    assert costs.detail(PACKAGE) == detail
    parts = costs.page_parts(PACKAGE)
    costs.measured_detail(PACKAGE, 0.9)
    assert costs.page_parts(PACKAGE) == parts
