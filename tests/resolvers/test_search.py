"""Tests search through the graph: who answers, what upstream is asked, and how paging goes on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from catalog.catalog_source import CatalogSource
from tests.support.gateway_in_process import asking, source_over
from upstream.embedded import ContentType, Dropped, EmbeddedUpstream, Fault, Latency, StatusFault, Truncated
from upstream.embedded.faults import Effect

if TYPE_CHECKING:
    from tests.support.gateway_in_process import Ask

SEARCH = """
query($text: String!, $first: Int, $after: String) {
  search(query: $text, first: $first, after: $after) {
    totalCount answeredBy reason
    edges { cursor score hit { slug itemType }
      node { __typename ... on Package { databaseId slug } ... on Grid { databaseId slug } } }
    nodes { ... on Package { id } ... on Grid { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""
AT = "/api/v4/search/"


async def search(ask: Ask, query: str, **arguments: object) -> dict[str, Any]:
    body = await ask(SEARCH, text=query, **arguments)
    assert "errors" not in body
    found: dict[str, Any] = body["data"]["search"]
    assert len(found["nodes"]) == len(found["edges"])
    return found


def slugs(found: dict[str, Any]) -> list[str]:
    return [edge["node"]["slug"] for edge in found["edges"]]


# Upstream


async def test_upstream_answers_in_its_own_order_by_one_request(
    ask_catalog: Ask, embedded: EmbeddedUpstream
) -> None:
    found = await search(ask_catalog, "django")
    assert (found["answeredBy"], found["reason"]) == ("UPSTREAM", "Upstream's search answered.")
    assert len(found["edges"]) == 20
    assert slugs(found) == [edge["hit"]["slug"] for edge in found["edges"]]
    assert {edge["score"] for edge in found["edges"]} == {None}
    assert found["totalCount"] is None
    assert [*embedded.requests.by_target.items()] == [(f"{AT}?q=django", 1)]


async def test_without_a_catalog_each_hit_is_one_detail(ask: Ask, embedded: EmbeddedUpstream) -> None:
    body = await ask(SEARCH, receipt=True, text="email celery", first=2)
    found, receipt = body["data"]["search"], body["extensions"]["upstream"]
    assert len(found["edges"]) == 2
    assert found["totalCount"] == embedded.requests.total - 1 < 20
    assert max(embedded.requests.by_target.values()) == 1
    assert (receipt["requestsByKind"]["search"], receipt["rounds"]) == (1, 2)


async def test_fewer_than_twenty_hits_are_all_there_are(ask_catalog: Ask) -> None:
    found = await search(ask_catalog, "email celery", first=2)
    assert found["totalCount"] > 2
    assert found["pageInfo"]["hasNextPage"]
    assert len((await search(ask_catalog, "email celery"))["edges"]) == found["totalCount"]


async def test_equal_searches_of_simultaneous_requests_are_asked_once_and_remembered(
    ask_catalog: Ask, embedded: EmbeddedUpstream
) -> None:
    answers = await asyncio.gather(*(search(ask_catalog, query) for query in ("email", " email ", "email\n")))
    assert answers[0] == answers[1] == answers[2] == await search(ask_catalog, "email")
    assert embedded.requests.total == 1


async def test_a_search_ends_when_nobody_waits_for_it(
    source: CatalogSource, embedded: EmbeddedUpstream
) -> None:
    embedded.faults.add(Fault(Latency(60), path=AT))
    searching = asyncio.create_task(source.batcher.search("email"))
    while not embedded.requests.total:  # noqa: ASYNC110 - the embedded upstream has no event for it
        await asyncio.sleep(0)
    searching.cancel()
    await asyncio.gather(searching, return_exceptions=True)
    embedded.faults.clear()
    assert await source.batcher.search("email")
    assert embedded.requests.total == 2


async def test_pages_of_upstreams_answer_meet_every_hit_once(
    ask_catalog: Ask, embedded: EmbeddedUpstream
) -> None:
    whole = await search(ask_catalog, "django")
    seen: list[str] = []
    after = None
    for page in range(3):
        found = await search(ask_catalog, "django", first=7, after=after)
        assert found["pageInfo"]["hasPreviousPage"] == (page > 0)
        assert found["pageInfo"]["hasNextPage"] == (page < 2)
        seen += slugs(found)
        after = found["pageInfo"]["endCursor"]
    assert seen == slugs(whole)
    assert embedded.requests.total == 1
    beyond = await search(ask_catalog, "django", first=50, after=after)
    assert (beyond["edges"], beyond["answeredBy"]) == ([], "UPSTREAM")
    assert beyond["pageInfo"]["hasPreviousPage"]


async def test_a_page_goes_on_where_a_hit_was_that_is_gone(
    ask_catalog: Ask, source: CatalogSource, embedded: EmbeddedUpstream
) -> None:
    before = await search(ask_catalog, "django")
    embedded.catalog.remove_package(before["edges"][3]["node"]["databaseId"])
    embedded.catalog.reindex()
    await source.crawl()
    after = await search(ask_catalog, "django", first=5, after=before["edges"][3]["cursor"])
    assert slugs(after) == slugs(before)[4:9]
    after = await search(ask_catalog, "django", first=5, after=before["edges"][5]["cursor"])
    assert slugs(after) == slugs(before)[6:11]


# Hits that cannot be resolved


async def test_a_stale_hit_is_left_out(ask: Ask, embedded: EmbeddedUpstream) -> None:
    before = await search(ask, "email celery")
    gone, renamed = (edge["node"]["databaseId"] for edge in before["edges"][:2])
    embedded.catalog.remove_package(gone)
    embedded.catalog.update_package(renamed, slug="renamed-since")
    async with source_over(embedded) as fresh:
        after = await search(asking(fresh), "email celery")
    assert slugs(after) == slugs(before)[2:]
    assert after["totalCount"] == before["totalCount"] - 2


async def test_a_hit_that_the_catalog_does_not_know_is_asked_once(
    ask_catalog: Ask, source: CatalogSource, embedded: EmbeddedUpstream
) -> None:
    before = await search(ask_catalog, "django")
    gone = before["edges"][4]["node"]
    embedded.catalog.remove_package(gone["databaseId"])
    await source.crawl()
    embedded.requests.reset()
    for _ in range(2):
        assert slugs(await search(ask_catalog, "django")) == [
            slug for slug in slugs(before) if slug != gone["slug"]
        ]
    assert embedded.requests.by_target == {f"{AT}?q=django": 1, f"/api/v4/packages/{gone['slug']}/": 1}


async def test_a_hit_with_a_slug_of_digits_comes_from_the_catalog_or_not_at_all(
    ask: Ask, ask_digits: tuple[int, str], source: CatalogSource, embedded: EmbeddedUpstream
) -> None:
    id, slug = ask_digits
    assert slug not in slugs(await search(ask, slug))
    assert not any(target.startswith("/api/v4/packages") for target in embedded.requests.by_target)
    await source.crawl()
    found = await search(ask, slug)
    nodes = [edge["node"] for edge in found["edges"]]
    assert {"__typename": "Package", "databaseId": id, "slug": slug} in nodes


@pytest.fixture
def ask_digits(embedded: EmbeddedUpstream) -> tuple[int, str]:
    """Return a package whose slug is another's id."""
    id, other = [*embedded.catalog.packages][:2]
    embedded.catalog.update_package(id, slug=str(other))
    embedded.catalog.reindex()
    return id, str(other)


async def test_a_record_that_fails_is_one_null_and_one_error(ask: Ask, embedded: EmbeddedUpstream) -> None:
    whole = await search(ask, "email celery")
    (place, failing) = next(
        (place, edge["node"]["slug"])
        for place, edge in enumerate(whole["edges"])
        if edge["node"]["__typename"] == "Package"
    )
    embedded.faults.add(Fault(StatusFault(500), path=f"/api/v4/packages/{failing}/"))
    async with source_over(embedded) as source:
        body = await asking(source)(
            'query { search(query: "email celery") { edges { node { __typename } } } }'
        )
    edges = body["data"]["search"]["edges"]
    assert edges[place] == {"node": None}
    assert sum(edge["node"] is None for edge in edges) == 1
    (error,) = body["errors"]
    assert error["path"] == ["search", "edges", place, "node"]
    assert error["extensions"] == {"code": "UPSTREAM_UNAVAILABLE"}


# The catalog


@pytest.mark.parametrize(
    ("effect", "why"),
    [
        (StatusFault(500), "Upstream answered /search/ with status 500."),
        (StatusFault(429, retry_after="60"), "Upstream answered /search/ with status 429."),
        (ContentType(), "Upstream answered /search/ with 200 and text/html, not JSON."),
        (Dropped(), "Upstream could not be reached for /search/."),
        (Truncated(framed=True), "Upstream's answer to /search/ is not as the v4 API promises"),
    ],
)
async def test_the_catalog_answers_when_upstream_fails(
    ask_catalog: Ask, embedded: EmbeddedUpstream, effect: Effect, why: str
) -> None:
    embedded.faults.add(Fault(effect, path=AT))
    found = await search(ask_catalog, "email", first=5)
    assert found["answeredBy"] == "CATALOG"
    assert found["reason"].startswith(f"Upstream's search failed. {why}")
    assert len(found["edges"]) == 5
    assert found["totalCount"] > 5
    assert all(edge["hit"] is None for edge in found["edges"])
    scores = [edge["score"] for edge in found["edges"]]
    assert scores == sorted(scores, reverse=True)
    assert embedded.requests.total == 1


async def test_the_catalog_answers_when_upstream_is_slow(
    embedded: EmbeddedUpstream,
) -> None:
    async with source_over(embedded, search_wait=0.01) as source:
        await source.crawl()
        embedded.requests.reset()
        embedded.faults.add(Fault(Latency(60), path=AT))
        found = await search(asking(source), "email", first=5)
    assert found["answeredBy"] == "CATALOG"
    assert found["reason"] == "Upstream's search took longer than 0.01 seconds."
    assert embedded.requests.total == 1


async def test_without_a_catalog_the_failure_of_upstream_is_the_error(
    ask: Ask, embedded: EmbeddedUpstream
) -> None:
    embedded.faults.add(Fault(StatusFault(503), path=AT))
    body = await ask(SEARCH, text="email")
    assert body["data"] == {"search": None}
    (error,) = body["errors"]
    assert error["message"] == "Upstream answered /search/ with status 503."
    assert error["extensions"] == {"code": "UPSTREAM_UNAVAILABLE"}


async def test_more_than_twenty_come_from_the_catalog_without_a_request(
    ask_catalog: Ask, embedded: EmbeddedUpstream
) -> None:
    found = await search(ask_catalog, "django", first=21)
    assert found["answeredBy"] == "CATALOG"
    assert found["reason"] == "More than 20 results were requested, which is more than upstream gives."
    assert len(found["edges"]) == 21
    assert embedded.requests.total == 0


async def test_pages_of_the_catalogs_answer_meet_every_record_once(
    ask_catalog: Ask, embedded: EmbeddedUpstream
) -> None:
    seen: list[str] = []
    after = None
    while True:
        found = await search(ask_catalog, "django", first=60, after=after)
        assert found["pageInfo"]["hasPreviousPage"] == bool(seen)
        seen += [node["id"] for node in found["nodes"]]
        if not found["pageInfo"]["hasNextPage"]:
            break
        after = found["pageInfo"]["endCursor"]
    assert found["reason"] == "The cursor comes from an answer of the catalog."
    assert len(seen) == len(set(seen)) == found["totalCount"] > 120
    # Small pages go on with the same answer, though upstream could give them.
    assert (await search(ask_catalog, "django", first=2, after=after))["answeredBy"] == "CATALOG"
    assert embedded.requests.total == 0


async def test_a_page_goes_on_in_the_next_catalog(
    ask_catalog: Ask, source: CatalogSource, embedded: EmbeddedUpstream
) -> None:
    before = await search(ask_catalog, "django", first=40)
    embedded.catalog.remove_package(before["edges"][3]["node"]["databaseId"])
    embedded.catalog.update_package(before["edges"][20]["node"]["databaseId"], repo_watchers=10**6)
    await source.crawl()
    after = await search(ask_catalog, "django", first=4, after=before["edges"][9]["cursor"])
    assert slugs(after) == slugs(before)[10:14]
    after = await search(ask_catalog, "django", first=4, after=before["edges"][3]["cursor"])
    assert slugs(after) == slugs(before)[4:8]
    assert (await search(ask_catalog, "django", first=30))["edges"][0]["node"] == before["edges"][20]["node"]
