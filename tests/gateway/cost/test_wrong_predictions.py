"""Tests that an operation whose cost was predicted wrongly is stopped while it runs."""

from __future__ import annotations

from gateway.cost import catalog_averages
from gateway.prepared_request import GraphQLRequest
from tests.support.dearest_operations import source_alone
from tests.support.gateway_in_process import gateway_over
from tests.support.made_records import catalog_of, category, grid, package
from tests.support.predicted_costs import predicted

HEAVY, LIGHT, GRIDS = 10, 600, 30
KEYS = ", ".join(f'"slug-{id}"' for id in range(1, HEAVY + 1))
TITLES = " ".join(f"a{n}: title" for n in range(20))
QUERY = f"{{ packagesBySlug(slugs: [{KEYS}]) {{ grids {{ {TITLES} }} }} }}"
"""The packages with the most grids, of which others have one."""


async def test_an_operation_that_has_more_than_was_predicted_is_stopped_by_what_is_counted(
    use_engine: bool,
) -> None:
    heavy = [package(id, slug=f"slug-{id}", grids=tuple(range(1, GRIDS + 1))) for id in range(1, HEAVY + 1)]
    light = [package(HEAVY + id, grids=(1,)) for id in range(1, LIGHT + 1)]
    grids = [grid(id, title="A title of thirty characters ") for id in range(1, GRIDS + 1)]
    catalog = catalog_of(category(1), *grids, *heavy, *light)
    prediction = predicted(QUERY, catalog_averages(catalog))
    async with source_alone(catalog) as source:
        whole = gateway_over(source, use_engine=use_engine)
        told = (await whole.execute(GraphQLRequest(QUERY, receipt=True))).decoded()
        actual = told["extensions"]["cost"]["actual"]
        most = 4 * prediction.cost.bytes
        assert actual["values"] > 2 * prediction.most_values
        assert actual["bytes"] > 2 * most
        gateway = gateway_over(
            source, use_engine=use_engine, limit_values=prediction.most_values, limit_answer_bytes=most
        )
        explained = (await gateway.execute(GraphQLRequest(QUERY, explain=True))).decoded()
        stopped = (await gateway.execute(GraphQLRequest(QUERY))).decoded()
    assert explained["extensions"]["explain"]["allowed"] is True
    assert stopped.keys() == {"errors"}
    assert stopped["errors"][0]["extensions"]["limit"] == "answer_bytes"
    assert most < stopped["errors"][0]["extensions"]["value"] < actual["bytes"]
