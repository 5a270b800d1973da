"""Tests the crawl while upstream changes under it: afterwards the catalog is what upstream has, exactly."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.crawls import Change, Changing, asked, crawled, found, truth
from tests.support.numbers_of_examples import examples, share_of
from upstream.client.upstream_errors import UpstreamBadData
from upstream.embedded import (
    EmbeddedCatalog,
    EmbeddedUpstream,
    Fault,
    InsertAfterList,
    Poisoned,
    RemoveAfterList,
)

READS = 5
"""Pages on which 300 packages, four grids and a category are read."""
LOOKS = 3
"""One at each list, to see whether it has changed."""


@pytest.fixture(scope="module")
def rows() -> EmbeddedCatalog:
    """Return the catalog at the start of every crawl: small records, every third package in a grid. Serve
    copies."""
    rows = EmbeddedCatalog()
    rows.insert_category()
    for _ in range(4):
        rows.insert_grid()
    for number in range(300):
        rows.insert_package(grids=[] if number % 3 else [1 + number % 4])
    return rows


@pytest.fixture
def embedded(rows: EmbeddedCatalog) -> EmbeddedUpstream:
    return EmbeddedUpstream(catalog=copy_of(rows))


def copy_of(rows: EmbeddedCatalog) -> EmbeddedCatalog:
    return EmbeddedCatalog(rows.packages.values(), rows.grids.values(), rows.categories.values())


def id_at(catalog: EmbeddedCatalog, place: int) -> int:
    """Return the package at this place of the list, the newest is at 0."""
    return sorted(catalog.packages, reverse=True)[place]


def insert(catalog: EmbeddedCatalog) -> None:
    catalog.insert_package(grids=[min(catalog.grids), max(catalog.grids)])


def delete_at(place: int) -> Change:
    return lambda catalog: catalog.remove_package(id_at(catalog, place))


def delete_and_insert(catalog: EmbeddedCatalog) -> None:
    delete_at(150)(catalog)
    insert(catalog)


def insert_a_grid(catalog: EmbeddedCatalog) -> None:
    catalog.insert_grid(packages=[id_at(catalog, 10), id_at(catalog, 150), id_at(catalog, 250)])


def delete_a_grid(catalog: EmbeddedCatalog) -> None:
    catalog.remove_grid(max(catalog.grids))


CHANGES: dict[str, Change] = {
    "insert": insert,
    "insert 110": lambda catalog: [catalog.insert_package(grids=[2]) for _ in range(110)],
    "delete the newest": delete_at(0),
    "delete the last of page one": delete_at(99),
    "delete the first of page two": delete_at(100),
    "delete the oldest": delete_at(299),
    "delete all of page two": lambda catalog: [delete_at(100)(catalog) for _ in range(100)],
    "delete all": lambda catalog: [delete_at(0)(catalog) for _ in range(300)],
    "delete and insert": delete_and_insert,
    "insert a grid": insert_a_grid,
    "delete a grid": delete_a_grid,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_a_change_at_any_moment_is_seen(rows: EmbeddedCatalog, change: Change) -> None:
    before, changed = await truth(rows), copy_of(rows)
    change(changed)
    after = await truth(changed)
    for moment in share_of(range(1, READS + 2)):
        upstream = Changing(EmbeddedUpstream(catalog=copy_of(rows)), {moment: change})
        catalog = found(await crawled(upstream))
        assert not upstream.after, "the change did not take place"
        # What changes when everything has been read and looked at is left to the next crawl.
        assert catalog == after or (moment > READS and catalog == before), moment


async def test_an_insert_and_a_delete_between_two_pages_hide_no_row(embedded: EmbeddedUpstream) -> None:
    upstream = Changing(embedded, {1: insert, 2: delete_at(250)})
    assert found(await crawled(upstream)) == await truth(embedded.catalog)


async def test_a_package_that_comes_and_goes_during_the_crawl_is_not_in_it(
    embedded: EmbeddedUpstream,
) -> None:
    upstream = Changing(embedded, {1: insert, 2: delete_at(0)})
    assert found(await crawled(upstream)) == await truth(embedded.catalog)


@pytest.mark.parametrize("unreadable", [0, 40, 150])
async def test_a_change_at_any_moment_is_seen_beside_a_row_that_cannot_be_read(
    rows: EmbeddedCatalog, unreadable: int
) -> None:
    bad = id_at(rows, unreadable)
    for moment in share_of((1, 3, 8, 13, 18)):
        embedded = EmbeddedUpstream(catalog=copy_of(rows))
        embedded.faults.add(Fault(Poisoned(bad)))
        catalog = found(await crawled(Changing(embedded, {moment: delete_and_insert})))
        assert catalog == (await truth(embedded.catalog)).without(bad), moment


async def test_a_membership_that_changes_between_the_pages_of_its_two_sides_is_mended(
    embedded: EmbeddedUpstream,
) -> None:
    newest, oldest = id_at(embedded.catalog, 0), id_at(embedded.catalog, 299)
    old_grid, new_grid = min(embedded.catalog.grids), max(embedded.catalog.grids)
    embedded.catalog.update_package(newest, grids=[old_grid])
    embedded.catalog.update_package(oldest, grids=[old_grid])

    def move(catalog: EmbeddedCatalog) -> None:
        catalog.update_package(newest, grids=[new_grid])
        catalog.update_package(oldest, grids=[new_grid])

    # The page of the newest package has come; that of the oldest one and the grids have not.
    upstream = Changing(embedded, {1: move})
    assert found(await crawled(upstream)) == await truth(embedded.catalog)
    details = [target for target in asked(embedded) if "?" not in target]
    assert details == [f"packages/{newest}/"]
    assert embedded.requests.total == READS + LOOKS + len(details) + LOOKS


async def test_a_grid_that_explains_many_packages_is_asked_for_alone(embedded: EmbeddedUpstream) -> None:
    crowded = embedded.catalog.insert_grid()

    def crowd(catalog: EmbeddedCatalog) -> None:
        for _ in range(50):
            catalog.insert_package(grids=[crowded])

    upstream = Changing(embedded, {READS: crowd})
    assert found(await crawled(upstream)) == await truth(embedded.catalog)
    assert [target for target in asked(embedded) if "?" not in target] == [f"grids/{crowded}/"]


Event = tuple[int, str, int]
EVENTS = st.tuples(
    st.integers(1, 25),
    st.sampled_from(["insert", "delete", "join", "leave", "delete a grid"]),
    st.integers(0),
)


def take_place(event: Event, catalog: EmbeddedCatalog) -> None:
    _, what, draw = event
    package = id_at(catalog, draw % len(catalog.packages))
    grid = sorted(catalog.grids)[draw % len(catalog.grids)]
    memberships = catalog.packages[package].grids
    match what:
        case "insert":
            catalog.insert_package(grids=[grid])
        case "delete":
            catalog.remove_package(package)
        case "join":
            catalog.update_package(package, grids={*memberships, grid})
        case "leave":
            catalog.update_package(package, grids=memberships[1:])
        case _ if len(catalog.grids) > 1:
            catalog.remove_grid(grid)


@settings(deadline=None, max_examples=examples(15))
@given(st.lists(EVENTS, max_size=5))
async def test_after_any_changes_the_catalog_is_one_that_upstream_had(
    rows: EmbeddedCatalog, events: list[Event]
) -> None:
    embedded = EmbeddedUpstream(catalog=copy_of(rows))
    had: list[tuple[set[int], set[int]]] = []

    def next_moment(moment: int, embedded_catalog: EmbeddedCatalog) -> None:
        had.append((set(embedded_catalog.packages), set(embedded_catalog.grids)))
        for event in events:
            if event[0] == moment:
                take_place(event, embedded_catalog)
                had.append((set(embedded_catalog.packages), set(embedded_catalog.grids)))

    moments = range(1, 26)
    catalog = await crawled(Changing(embedded, {moment: partial(next_moment, moment) for moment in moments}))
    assert (set(catalog.packages), set(catalog.grids)) in had
    by_package = {(package.id, grid) for package in catalog.packages.values() for grid in package.grids}
    by_grid = {(package, grid.id) for grid in catalog.grids.values() for package in grid.packages}
    assert by_package == by_grid


async def extra_requests(rows: EmbeddedCatalog, fault: Fault) -> int:
    """Return what drift costs: the requests beyond those of a crawl without it."""
    embedded = EmbeddedUpstream(catalog=copy_of(rows))
    embedded.faults.add(fault)
    assert found(await crawled(embedded)) == await truth(embedded.catalog)
    return embedded.requests.total - READS - LOOKS


async def test_an_insert_costs_a_page_for_each_place_where_something_is_not_seen(
    rows: EmbeddedCatalog,
) -> None:
    # The list's length is a multiple of a page's, so the oldest row was pushed off the last page.
    assert await extra_requests(rows, Fault(InsertAfterList(), times=1)) == 2 + LOOKS
    # A look sees what came last.
    assert await extra_requests(rows, Fault(InsertAfterList(), pattern="offset=200$", times=1)) == 0


async def test_a_delete_costs_another_reading_of_its_list(rows: EmbeddedCatalog) -> None:
    newest, oldest = max(rows.packages), min(rows.packages)
    assert not rows.packages[newest].grids
    assert await extra_requests(rows, Fault(RemoveAfterList(newest), times=1)) == 3 + LOOKS - 1
    assert await extra_requests(rows, Fault(RemoveAfterList(oldest), pattern="offset=200$")) == 3 + LOOKS


async def test_an_upstream_that_grows_all_the_time_is_read_all_the_same(embedded: EmbeddedUpstream) -> None:
    embedded.faults.add(Fault(InsertAfterList()))
    catalog = found(await crawled(embedded))
    # The newest one came after the last look.
    assert catalog == (await truth(embedded.catalog)).without(max(embedded.catalog.packages))
    assert embedded.requests.total == READS + 3 + 3 * LOOKS


async def test_an_upstream_that_shrinks_all_the_time_is_given_up(embedded: EmbeddedUpstream) -> None:
    always = dict.fromkeys(range(1, 200), delete_at(100))
    with pytest.raises(UpstreamBadData) as error:
        await crawled(Changing(embedded, always))
    assert str(error.value) == "Upstream's packages changed during each of 5 readings."
    # Each time all packages again, and a look at the grids and the categories.
    assert embedded.requests.total == READS + 4 * (3 + 2)


async def test_an_upstream_that_grows_faster_than_it_is_looked_at_is_given_up(rows: EmbeddedCatalog) -> None:
    def insert_two(catalog: EmbeddedCatalog) -> None:
        insert(catalog)
        insert(catalog)

    always = dict.fromkeys(range(1, 200), insert_two)
    with pytest.raises(UpstreamBadData) as error:
        await crawled(Changing(EmbeddedUpstream(catalog=copy_of(rows)), always))
    assert str(error.value) == "The crawl was checked 20 times, and upstream had changed before each check."
