"""Tests that a query that ``@asOf`` cannot answer is refused with a sentence, and costs little."""

from __future__ import annotations

import time
from pathlib import Path

from catalog.catalog_source import CatalogSource
from catalog.indexed_catalog import Catalog
from catalog.storage.sqlite_storage import Storage
from catalog.sync.rebuild_rate_limit import AT_ONCE, PAUSE
from tests.support.gateways_with_history import Gateways, open_gateways
from tests.support.stored_catalogs import change
from tests.support.upstream_without_http import made_records
from tests.support.versioned_catalogs import Clock, as_of, keep_versions_of
from upstream.embedded import EmbeddedUpstream


async def test_a_thousand_times_in_a_minute_are_a_few_rebuilds_and_the_others_are_told_when_to_try_again(
    embedded: EmbeddedUpstream, tmp_path: Path
) -> None:
    async def fill(storage: Storage, clock: Clock, source: CatalogSource) -> list[Catalog]:
        return keep_versions_of(storage, clock, 40, made_records())

    async for gateways in open_gateways(embedded, tmp_path / "catalog.sqlite", fill):
        begin, span = gateways.versions[0].at, gateways.versions[-1].at - gateways.versions[0].at
        refused, began = 0, time.monotonic()
        for step in range(1000):
            moment = begin + span * step / 1000
            answer = await gateways.ask(
                "query Q($time: DateTime) @asOf(time: $time) { stats { packageCount } }",
                {"time": moment.isoformat()},
            )
            if answer.failed:
                refused += 1
                (error,) = answer.decoded()["errors"]
                seconds = error["extensions"]["retryAfter"]
                assert (answer.failure, answer.retry_after) == ("overloaded", seconds)
                assert error["extensions"]["code"] == "RATE_LIMITED"
                assert error["message"] == (
                    "Too many different versions of the catalog were asked for, and each has to be rebuilt or "
                    f"compared. Try again in {seconds} seconds."
                )
                assert 1 <= seconds <= 10
        come_since = (time.monotonic() - began) / PAUSE
        assert AT_ONCE <= gateways.source.older.rebuilds.begun <= AT_ONCE + come_since
        assert refused > 500


NOTHING_BEFORE = "History reaches from 2026-01-01T13:00:00Z until now."


async def test_what_cannot_be_asked_is_said_in_a_sentence(crawled: Gateways) -> None:
    def of(arguments: str, declared: str = "") -> str:
        return f"query Q{declared} {{ catalog {{ version }} }}".replace(" {", f" @asOf{arguments} {{", 1)

    unknown = "f" * 32
    cases: list[tuple[str, dict[str, object], str]] = [
        (of(""), {}, "@asOf takes exactly one of time and version; it got none."),
        (of("(time: null)"), {}, "@asOf takes exactly one of time and version; it got none."),
        (
            of('(time: "2026-01-01", version: "x")'),
            {},
            "@asOf takes exactly one of time and version; it got time and version.",
        ),
        (
            of("(version: $v)", "($v: String)"),
            {"v": "abc"},
            "@asOf(version:) is not a version; a version has 32 hexadecimal digits, as in catalog { version }.",
        ),
        (
            of("(version: $v)", "($v: String)"),
            {"v": 5},
            "@asOf(version:) is not a version; a version has 32 hexadecimal digits, as in catalog { version }.",
        ),
        (
            of("(version: $v)", "($v: String)"),
            {"v": unknown},
            f'There is no version "{unknown}" in the history. {NOTHING_BEFORE}',
        ),
        (
            of('(time: "2020-01-01T00:00:00Z")'),
            {},
            f"Nothing is known of the catalog as it was at 2020-01-01T00:00:00Z. {NOTHING_BEFORE}",
        ),
        (
            of('(time: "0001-02-03T00:00:00Z")'),
            {},
            f"Nothing is known of the catalog as it was at 0001-02-03T00:00:00Z. {NOTHING_BEFORE}",
        ),
        (
            of('(time: "2999-01-01T00:00:00Z")'),
            {},
            f"2999-01-01T00:00:00Z is in the future. {NOTHING_BEFORE}",
        ),
        (
            of('(time: "0001-01-01T00:00:00+14:00")'),
            {},
            "@asOf(time:) is no moment of the years 1 to 9999 in UTC.",
        ),
    ]
    for query, variables, message in cases:
        assert await crawled.told(query, **variables) == (message, "BAD_USER_INPUT"), query
    message, code = await crawled.told(of("(time: $t)", "($t: DateTime)"), t="yesterday")
    assert message.startswith("@asOf(time:) is no moment. ")
    assert code == "BAD_USER_INPUT"
    assert crawled.source.older.rebuilds.begun == 0


async def test_a_field_cannot_have_it(crawled: Gateways) -> None:
    message, code = await crawled.told('{ stats @asOf(time: "2026-01-01") { packageCount } }')
    assert message == "Directive '@asOf' may not be used on field."
    assert code == "GRAPHQL_VALIDATION_FAILED"


async def test_what_changes_now_cannot_be_asked_as_of_a_moment(crawled: Gateways) -> None:
    query = "{ catalog { changesCursor } }"
    answer = (await crawled.ask(as_of(query, version=crawled.versions[0].version))).decoded()
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert (
        error["message"] == "changesCursor is about what changes now, so a query with @asOf cannot have it."
    )
    query = "{ changes { totalCount } }"
    (error,) = (await crawled.ask(as_of(query, version=crawled.versions[0].version))).decoded()["errors"]
    assert error["message"] == "changes is about what changes now, so a query with @asOf cannot have it."


async def test_a_cursor_of_upstreams_search_is_refused(crawled: Gateways) -> None:
    query = 'query Q($after: String) { search(query: "celery", first: 1, after: $after) { pageInfo { endCursor } } }'
    live = (await crawled.ask(query)).decoded()["data"]["search"]["pageInfo"]["endCursor"]
    (error,) = (
        await crawled.ask(as_of(query, version=crawled.versions[0].version), {"after": live})
    ).decoded()["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["message"].startswith("search(after:) is a cursor of upstream's search")
    own = as_of(query, version=crawled.versions[2].version)
    pages = [(await crawled.ask(own)).decoded()["data"]["search"]["pageInfo"]["endCursor"]]
    pages.append(
        (await crawled.ask(own, {"after": pages[0]})).decoded()["data"]["search"]["pageInfo"]["endCursor"]
    )
    assert len(set(pages)) == 2


async def test_a_damaged_history_is_an_error_and_the_present_goes_on(
    crawled: Gateways, tmp_path: Path
) -> None:
    change(tmp_path / "catalog.sqlite", "DELETE FROM record_changes WHERE number = 2")
    version = crawled.versions[0]
    message, code = await crawled.told(as_of("{ catalog { version } }", version=version.version))
    assert code == "STORAGE_UNAVAILABLE"
    assert message.startswith(
        f"Version {version.version} of 2026-01-01 13:00:00 UTC cannot be rebuilt, because"
    )
    assert (await crawled.ask("{ catalog { packageCount } }")).decoded() == {
        "data": {"catalog": {"packageCount": len(crawled.catalogs[-1].packages)}}
    }
