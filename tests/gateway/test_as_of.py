"""Tests ``@asOf``: a query is answered from the catalog as it was, the same as from a whole copy that was kept then."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from catalog.catalog_source import CatalogSource
from catalog.indexed_catalog import Catalog
from catalog.storage.sqlite_storage import Storage
from gateway.graphql_answer import GraphQLAnswer
from gateway.prepared_request import GraphQLRequest
from tests.support.gateway_operations import GENERATOR
from tests.support.gateways_with_history import Gateways, open_gateways
from tests.support.numbers_of_examples import operations, share_of
from tests.support.upstream_without_http import made_records
from tests.support.versioned_catalogs import Clock, as_of, keep_versions_of
from upstream.embedded import EmbeddedUpstream

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.graphql"))
VERSIONS, OPERATIONS = 6, operations(200)


@pytest.fixture
async def made(embedded: EmbeddedUpstream, tmp_path: Path) -> AsyncIterator[Gateways]:
    """Open gateways over versions of made records, of which some name others that there are not."""

    async def fill(storage: Storage, clock: Clock, source: CatalogSource) -> list[Catalog]:
        return keep_versions_of(storage, clock, VERSIONS, made_records())

    async for gateways in open_gateways(embedded, tmp_path / "catalog.sqlite", fill):
        yield gateways


def test_there_are_examples() -> None:
    assert len(EXAMPLES) > 6


@pytest.mark.parametrize("gateway", [0, 1], ids=["engine", "Strawberry"])
async def test_every_example_is_answered_as_from_the_copy_of_its_time(
    crawled: Gateways, gateway: int
) -> None:
    assert len({version.version for version in crawled.versions}) == len(crawled.catalogs) == 6
    answers, examples = set(), share_of(EXAMPLES)
    for number, version in enumerate(crawled.versions):
        for example in examples:
            text = example.read_text(encoding="utf-8")
            expected = await crawled.of_copy(text, None, number, gateway)
            assert b'"errors"' not in expected
            by_version = await crawled.ask(as_of(text, version=version.version), gateway=gateway)
            moment = version.at + timedelta(minutes=30)
            by_time = await crawled.ask(as_of(text, time=moment.isoformat()), gateway=gateway)
            assert by_version.body == by_time.body == expected
            answers.add(expected)
    # Most versions change something that an example shows.
    assert len(answers) > 2 * len(examples)
    assert crawled.embedded.requests.total == 0


async def test_random_operations_are_answered_as_from_the_copy_of_their_time(made: Gateways) -> None:
    for seed in range(OPERATIONS):
        operation = GENERATOR.operation(seed)
        text, number = str(operation), seed * VERSIONS // OPERATIONS
        asked = as_of(text, version=made.versions[number].version)
        for gateway in (0, 1):
            expected = await made.of_copy(text, operation.variables, number, gateway)
            answer = await made.ask(asked, operation.variables, gateway)
            assert _without_places(answer) == _without_places(GraphQLAnswer(expected, failed=False)), asked
    assert made.embedded.requests.total == 0


def _without_places(answer: GraphQLAnswer) -> dict[str, Any]:
    """Return an answer without the places in the text, which is another with the directive."""
    decoded = answer.decoded()
    for error in decoded.get("errors", ()):
        error.pop("locations", None)
    return decoded


async def test_what_the_catalog_did_not_have_is_null_and_upstream_is_not_asked(crawled: Gateways) -> None:
    query = """query Q($id: ID!) @asOf(time: $time) {
      package(slug: "celery-email") { title }
      packagesBySlug(slugs: ["celery-email", "django-celery-email"]) { slug }
      grid(slug: "no-such-grid") { title }
      category(slug: "no-such-category") { title }
      node(id: $id) { id }
    }""".replace("$id: ID!", "$id: ID!, $time: DateTime")
    first = crawled.versions[0].at
    answer = await crawled.ask(query, {"id": "UGFja2FnZTo5OTk5OTk=", "time": first.isoformat()})
    assert answer.decoded() == {
        "data": {
            "package": None,
            "packagesBySlug": [None, {"slug": "django-celery-email"}],
            "grid": None,
            "category": None,
            "node": None,
        }
    }
    assert crawled.embedded.requests.total == 0


async def test_the_answer_says_from_which_version_and_moment_it_is(crawled: Gateways) -> None:
    query = "query Q($time: DateTime) @asOf(time: $time) { catalog { version refreshedAt ageSeconds stale syncing } }"
    version = crawled.versions[2]
    moment = version.at + timedelta(minutes=5)
    request = GraphQLRequest(query, {"time": moment.isoformat()}, receipt=True)
    told = (await crawled.gateways[0].execute(request)).decoded()
    assert told["data"]["catalog"] == {
        "version": version.version,
        "refreshedAt": version.at.isoformat(),
        "ageSeconds": 300,
        "stale": False,
        "syncing": False,
    }
    assert told["extensions"]["freshness"]["version"] == version.version
    assert told["extensions"]["freshness"]["refreshedAt"] == version.at.isoformat()
    assert told["extensions"]["engine"] == {"used": True, "handedOver": None}


async def test_times_are_counted_to_the_moment_that_is_asked_for(crawled: Gateways) -> None:
    fields = "lastCommitAt daysSinceLastCommit"
    query = f"query Q($time: DateTime) @asOf(time: $time) {{ package(databaseId: 1442) {{ {fields} }} }}"
    moment = crawled.versions[0].at + timedelta(minutes=1)
    for gateway in (0, 1):
        answer = await crawled.ask(query, {"time": moment.isoformat()}, gateway)
        package = answer.decoded()["data"]["package"]
        last = datetime.fromisoformat(package["lastCommitAt"])
        assert package["daysSinceLastCommit"] == max(0, (moment - last).days)


async def test_a_day_stands_for_its_start_and_a_moment_without_an_offset_is_in_utc(crawled: Gateways) -> None:
    query = "query Q($time: DateTime) @asOf(time: $time) { catalog { version } }"
    clock = crawled.versions[1].at.replace(tzinfo=None)
    answer = await crawled.ask(query, {"time": clock.isoformat()})
    assert answer.decoded() == {"data": {"catalog": {"version": crawled.versions[1].version}}}
    day = crawled.versions[0].at.date() + timedelta(days=1)
    answer = await crawled.ask(query, {"time": day.isoformat()})
    assert answer.decoded() == {"data": {"catalog": {"version": crawled.versions[-1].version}}}


async def test_the_default_of_a_variable_counts(crawled: Gateways) -> None:
    version = crawled.versions[1].version
    query = f'query Q($v: String = "{version}") @asOf(version: $v) {{ catalog {{ version }} }}'
    assert (await crawled.ask(query)).decoded() == {"data": {"catalog": {"version": version}}}


async def test_equal_versions_are_rebuilt_once(crawled: Gateways) -> None:
    first, count = crawled.versions[0].at, len(crawled.catalogs[0].packages)
    for minutes in range(50):
        moment = first + timedelta(minutes=minutes)
        answer = await crawled.ask(
            f'query @asOf(time: "{moment.isoformat()}") {{ catalog {{ packageCount }} }}'
        )
        assert answer.decoded() == {"data": {"catalog": {"packageCount": count}}}
    assert crawled.source.older.rebuilds.begun == 1
    # The newest is at hand.
    await crawled.ask(
        f'query @asOf(version: "{crawled.versions[-1].version}") {{ catalog {{ packageCount }} }}'
    )
    assert crawled.source.older.rebuilds.begun == 1


async def test_requests_that_come_together_can_be_of_several_versions(crawled: Gateways) -> None:
    query = "{ catalog { version } }"
    requests = [GraphQLRequest(as_of(query, version=each.version)) for each in crawled.versions[:2]]
    requests.append(GraphQLRequest(query))
    answers = await crawled.gateways[0].execute_together(requests, crawled.source.current())
    assert [answer.decoded()["data"]["catalog"]["version"] for answer in answers] == [
        crawled.versions[0].version,
        crawled.versions[1].version,
        crawled.catalogs[-1].version,
    ]


async def test_what_is_deferred_is_of_the_same_version(crawled: Gateways) -> None:
    query = "{ package(databaseId: 1599) { title ... @defer { repoWatchers } } }"
    gateway = crawled.gateways[0]

    async def parts(text: str) -> list[Any]:
        prepared = await gateway.prepare(GraphQLRequest(text), crawled.source.current())
        assert prepared.has_parts
        return [part async for part in gateway.parts(prepared)]

    first, rest = await parts(as_of(query, version=crawled.versions[1].version))
    assert first.data["package"] == {"title": "Another title"}
    assert rest.incremental[0].data == {"repoWatchers": 7}
    prepared = await gateway.prepare(GraphQLRequest(as_of(query, version="0" * 32)), crawled.source.current())
    assert not prepared.has_parts


async def test_a_pinned_catalog_answers_as_of_other_versions_too(crawled: Gateways) -> None:
    crawled.storage.history.pin(crawled.versions[1])
    await crawled.source.publisher.take_newer()
    for number in (0, 1, 4, 5):
        answer = await crawled.ask(as_of("{ catalog { version } }", version=crawled.versions[number].version))
        assert answer.decoded() == {"data": {"catalog": {"version": crawled.versions[number].version}}}
