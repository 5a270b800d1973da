"""A cursor names its list by its order, so that one of another list is refused and not misread."""

from __future__ import annotations

from itertools import product

import pytest

from catalog import NEWEST_GRIDS_FIRST, NEWEST_PACKAGES_FIRST
from resolvers.lists.sort_orders import ContributorOrder, GridOrder, PackageOrder
from tests.support.gateway_in_process import Ask

LISTS = {
    "packages": ("packages", "newest first"),
    "grids": ("grids", "newest grids first"),
    "packages in order": ("packages(orderBy: TITLE_ASC)", "title ascending"),
    "grids in order": ("grids(orderBy: TITLE_ASC)", "grids by title ascending"),
    "contributors": ("contributors(orderBy: LOGIN_ASC)", "login ascending"),
}
OTHERS = [pair for pair in product(LISTS, LISTS) if pair[0] != pair[1]]


def paged(field: str) -> str:
    """Return a query for the first record of a list, or for the one after a cursor."""
    name, _, arguments = field.partition("(")
    return (
        f"query ($after: String) {{ list: {name}(first: 1, after: $after {arguments.rstrip(')')})"
        " { pageInfo { endCursor } } }"
    )


async def cursor_of(ask: Ask, field: str, after: str | None = None) -> str:
    body = await ask(paged(field), after=after)
    cursor: str = body["data"]["list"]["pageInfo"]["endCursor"]
    return cursor


@pytest.mark.parametrize(("one", "other"), OTHERS)
async def test_a_cursor_of_another_list_is_a_sentence(ask_catalog: Ask, one: str, other: str) -> None:
    (field, its_order), (of, order) = LISTS[one], LISTS[other]
    body = await ask_catalog(paged(field), after=await cursor_of(ask_catalog, of))
    (error,) = body["errors"]
    assert error["message"] == (
        f"{field.partition('(')[0]}(after:) is a cursor of another sort order ({order}); "
        f"this list is in order of {its_order}."
    )
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert body["data"] == {"list": None}


@pytest.mark.parametrize("name", LISTS)
async def test_a_cursor_of_the_same_list_is_taken(ask_catalog: Ask, name: str) -> None:
    field, _ = LISTS[name]
    first = await cursor_of(ask_catalog, field)
    assert await cursor_of(ask_catalog, field, after=first) != first


async def test_a_cursor_of_all_packages_is_taken_by_those_of_a_category(ask_catalog: Ask) -> None:
    cursor = await cursor_of(ask_catalog, "packages")
    body = await ask_catalog(
        "query ($after: String) { categories { packages(after: $after) { totalCount } } }", after=cursor
    )
    assert "errors" not in body


def test_no_two_orders_have_one_name() -> None:
    orders = [each.order for kind in (PackageOrder, GridOrder, ContributorOrder) for each in kind]
    names = [order.name for order in (*orders, NEWEST_PACKAGES_FIRST, NEWEST_GRIDS_FIRST)]
    assert len(names) == len(set(names))
