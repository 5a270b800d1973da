"""A page of a list is selected once for each version of the catalog, whatever is asked of its records."""

from __future__ import annotations

import weakref
from typing import Any

import pytest

from catalog import NEWEST_PACKAGES_FIRST, Catalog
from gateway import Gateway
from gateway.prepared_request import GraphQLRequest
from resolvers.filters.filter_cache import package_filters
from resolvers.lists import page_cache
from resolvers.lists.page_cache import ALL, PageCache, contributor_pages, grid_pages, package_pages
from resolvers.lists.pagination import Paging
from tests.support.garbage_collection import collector_off
from tests.support.gateway_in_process import gateway_over
from tests.support.made_records import catalog_of, category, grid, package
from tests.support.upstream_without_http import MadeSource
from upstream.client import Record

LISTS: dict[str, Any] = {"packages": package_pages, "grids": grid_pages, "contributors": contributor_pages}


def records(test: str) -> list[Record]:
    """Return records for a catalog that no other test has: a catalog of equal records would be the same."""
    return [
        category(1, title=test),
        grid(1, packages=(1, 2, 3)),
        *(
            package(id, repo_watchers=id % 4, grids=(1,), participants=(f"person{id}",))
            for id in range(1, 30)
        ),
    ]


def catalog(gateway: Gateway) -> Catalog:
    latest = gateway.source.latest
    assert latest is not None
    return latest.catalog


async def page(gateway: Gateway, text: str, **variables: object) -> dict[str, Any]:
    answer = (await gateway.execute(GraphQLRequest(text, variables))).decoded()
    assert "errors" not in answer, answer
    (found,) = answer["data"].values()
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("list_", LISTS)
async def test_a_page_is_made_once_whatever_is_asked_of_it(list_: str, use_engine: bool) -> None:
    source = MadeSource(records(f"{list_} {use_engine}"))
    gateway = gateway_over(source.as_source(), use_engine=use_engine, response_cache_bytes=0)
    for below in ("totalCount", "nodes { __typename id }", "edges { cursor }", "pageInfo { endCursor }"):
        for _ in range(2):
            await page(gateway, f"{{ {list_}(first: 3) {{ {below} }} }}")
    assert catalog(gateway).view(LISTS[list_]).made == 1


async def test_the_next_page_of_a_filtered_list_is_a_slice_of_it() -> None:
    gateway = gateway_over(MadeSource(records("slice")).as_source(), response_cache_bytes=0)
    text = """query($after: String) {
      packages(first: 2, after: $after, orderBy: STARS_DESC, filter: {stars: {min: 1}}) {
        totalCount nodes { databaseId } pageInfo { endCursor hasNextPage } } }"""
    after, found = None, []
    for _ in range(3):
        got = await page(gateway, text, after=after)
        after = got["pageInfo"]["endCursor"]
        found += [each["databaseId"] for each in got["nodes"]]
    known = catalog(gateway)
    assert len(known.view(package_filters)) == 1
    assert made(known).made == 3
    packages = sorted(known.packages.values(), key=lambda each: (-each.repo_watchers, each.id))
    assert found == [each.id for each in packages if each.repo_watchers >= 1][:6]


async def test_arguments_that_make_no_sense_are_refused_each_time() -> None:
    source = MadeSource(records("refused"))
    gateways = [gateway_over(source.as_source(), use_engine=each) for each in (True, False)]
    for arguments in ("first: 101", "first: 1, last: 1", 'after: "x"', "first: -1, filter: {or: []}"):
        text = f"{{ packages({arguments}) {{ totalCount }} }}"
        bodies = {
            (await gateway.execute(GraphQLRequest(text))).body for gateway in gateways for _ in range(3)
        }
        assert len(bodies) == 1
        assert b'"BAD_USER_INPUT"' in bodies.pop()


def made(records: Catalog) -> PageCache[int, Any]:
    return records.view(package_pages)


def test_pages_and_spans_take_so_many_bytes_at_most() -> None:
    known = catalog_of(category(1), *(package(id) for id in range(1, 200)))
    pages = made(known)
    most = page_cache.MAX_BYTES + page_cache.MAX_SPAN_BYTES
    for number in range(3_000):
        paging = Paging("packages", number % 101, None, None, None)
        span = pages.span(paging, NEWEST_PACKAGES_FIRST)
        assert pages.span(paging, NEWEST_PACKAGES_FIRST) is span
        pages.page(span, NEWEST_PACKAGES_FIRST, (b"%d" % number, 0.0), lambda: tuple(known.packages))
        assert pages.size <= most
    assert pages.size > 0.7 * page_cache.MAX_BYTES
    assert len(pages) < 2_900


def test_pages_end_with_their_catalog() -> None:
    with collector_off():
        known = catalog_of(category(1), package(1))
        pages = made(known)
        span = pages.span(Paging("packages", 1, None, None, None), NEWEST_PACKAGES_FIRST)
        pages.page(span, NEWEST_PACKAGES_FIRST, ALL, lambda: [1])
        kept = weakref.ref(pages)
        del known, pages
        assert kept() is None  # by reference counts alone: after a publish nothing is collected
