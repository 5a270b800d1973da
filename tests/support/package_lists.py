"""Provides the list of packages that a filter and an order give, asked for over a gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.gateway_in_process import Ask

LIST = """
query($filter: PackageFilter, $orderBy: PackageOrder) {
  packages(filter: $filter, orderBy: $orderBy, first: 100) { totalCount nodes { slug } }
}
"""


async def found(ask: Ask, **variables: object) -> list[str]:
    body = await ask(LIST, **variables)
    assert "errors" not in body, body["errors"]
    packages = body["data"]["packages"]
    assert packages["totalCount"] >= len(packages["nodes"]) == min(100, packages["totalCount"])
    return [node["slug"] for node in packages["nodes"]]
