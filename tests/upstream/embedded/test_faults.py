"""Tests every fault, in process."""

import asyncio
import math
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.generated_upstreams import generated_upstream
from upstream.embedded import (
    BadField,
    ContentType,
    Dropped,
    Effect,
    EmbeddedUpstream,
    Fault,
    InsertAfterList,
    Latency,
    Oversized,
    Poisoned,
    RemoveAfterList,
    ShortPage,
    Slow,
    State,
    StatusFault,
    Truncated,
)

DETAIL = "/api/v4/packages/1599/"
LIST = "/api/v4/packages/?limit=100"


@pytest.fixture
def upstream() -> EmbeddedUpstream:
    return generated_upstream(50)


@pytest.fixture
async def client(upstream: EmbeddedUpstream) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=upstream)
    async with httpx.AsyncClient(transport=transport, base_url="http://v4") as client:
        yield client


async def test_a_rule_comes_so_many_times_and_is_gone(
    upstream: EmbeddedUpstream, client: httpx.AsyncClient
) -> None:
    await client.get(DETAIL)  # So that its answer is kept ready, which no fault may overlook.
    upstream.faults.add(Fault(StatusFault(500), times=2))
    assert [(await client.get(DETAIL)).status_code for _ in range(3)] == [500, 500, 200]
    assert upstream.faults.active == []


async def test_a_fault_leaves_nothing_behind_in_what_is_kept_ready(
    upstream: EmbeddedUpstream, client: httpx.AsyncClient
) -> None:
    upstream.faults.add(Fault(BadField(1599, "title", 3), times=1))
    assert [(await client.get(DETAIL)).json()["title"] for _ in range(2)] == [3, "django-celery-email"]


async def test_a_rate_is_drawn_from_the_seed(upstream: EmbeddedUpstream, client: httpx.AsyncClient) -> None:
    runs = []
    for seed in (1, 1, 2):
        upstream.faults.clear()
        upstream.faults.add(Fault(StatusFault(502), rate=0.5, seed=seed))
        runs.append([(await client.get(DETAIL)).status_code for _ in range(40)])
    assert runs[0] == runs[1] != runs[2]
    assert 10 < runs[0].count(502) < 30


async def test_a_rule_is_for_the_paths_that_it_names(
    upstream: EmbeddedUpstream, client: httpx.AsyncClient
) -> None:
    upstream.faults.add(Fault(StatusFault(500), path="/api/v4/grids/"))
    upstream.faults.add(Fault(StatusFault(502), pattern=r"offset=\d{2}$"))
    assert (await client.get("/api/v4/grids/15/")).status_code == 500
    assert (await client.get(f"{LIST}&offset=10")).status_code == 502
    assert (await client.get(f"{LIST}&offset=1")).status_code == 200


@pytest.mark.parametrize(
    ("effect", "header", "value"),
    [
        (StatusFault(500), "retry-after", None),
        (StatusFault(502), "retry-after", None),
        (StatusFault(503, retry_after="3600"), "retry-after", "3600"),
        (StatusFault(429, retry_after="7"), "retry-after", "7"),
        (
            StatusFault(429, retry_after="Sat, 21 Nov 2026 09:10:45 GMT"),
            "retry-after",
            "Sat, 21 Nov 2026 09:10:45 GMT",
        ),
        (StatusFault(404), "retry-after", None),
        (StatusFault(301, location="https://elsewhere.example/"), "location", "https://elsewhere.example/"),
    ],
)
async def test_a_status_is_an_html_page(
    effect: StatusFault, header: str, value: str | None, upstream: EmbeddedUpstream, client: httpx.AsyncClient
) -> None:
    upstream.faults.add(Fault(effect))
    answer = await client.get(DETAIL)
    assert answer.status_code == effect.code
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers.get(header) == value


async def test_a_status_can_be_an_error_of_the_api_itself(
    upstream: EmbeddedUpstream, client: httpx.AsyncClient
) -> None:
    upstream.faults.add(Fault(StatusFault(404, is_json=True)))
    answer = await client.get(DETAIL)
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not as asked."})


async def test_a_short_page_lacks_its_last_records(
    upstream: EmbeddedUpstream, client: httpx.AsyncClient
) -> None:
    whole = (await client.get(LIST)).json()
    upstream.faults.add(Fault(ShortPage(2)))
    short = (await client.get(LIST)).json()
    assert short == whole | {"results": whole["results"][:-2]}
    assert (await client.get(DETAIL)).json()["id"] == 1599


@pytest.mark.virtual_time
async def test_latency_delays_and_adds_up(upstream: EmbeddedUpstream, client: httpx.AsyncClient) -> None:
    upstream.faults.add(Fault(Latency(0.02)))
    upstream.faults.add(Fault(Latency(0.03)))
    assert (await client.get(DETAIL)).status_code == 200
    assert asyncio.get_running_loop().time() == pytest.approx(0.05)


@pytest.mark.virtual_time
async def test_the_latency_of_the_upstream_is_for_every_request() -> None:
    transport = httpx.ASGITransport(app=generated_upstream(5, latency=0.02))
    async with httpx.AsyncClient(transport=transport, base_url="http://v4") as client:
        for number in (1, 2):
            await client.get(DETAIL)
            assert asyncio.get_running_loop().time() == pytest.approx(number * 0.02)


async def test_a_wrong_content_type_has_the_right_body(
    upstream: EmbeddedUpstream, client: httpx.AsyncClient
) -> None:
    upstream.faults.add(Fault(ContentType("text/plain")))
    answer = await client.get(DETAIL)
    assert answer.headers["content-type"] == "text/plain"
    assert answer.json()["id"] == 1599


async def test_json_can_be_cut_inside_a_whole_answer(
    upstream: EmbeddedUpstream, client: httpx.AsyncClient
) -> None:
    whole = (await client.get(DETAIL)).content
    upstream.faults.add(Fault(Truncated(0.5, framed=True)))
    answer = await client.get(DETAIL)
    assert answer.content == whole[: len(whole) // 2]
    assert answer.headers["content-length"] == str(len(answer.content))


@pytest.mark.parametrize("effect", [Dropped(), Truncated()])
async def test_a_lost_connection_is_an_error_of_the_socket(
    effect: Effect, upstream: EmbeddedUpstream, client: httpx.AsyncClient
) -> None:
    upstream.faults.add(Fault(effect))
    with pytest.raises(ConnectionResetError):
        await client.get(DETAIL)


@pytest.mark.parametrize("value", [None, "many", [1], {"a": 1}])
async def test_a_bad_field_is_in_every_answer_that_holds_the_record(
    value: object, upstream: EmbeddedUpstream, client: httpx.AsyncClient
) -> None:
    upstream.faults.add(Fault(BadField(1599, "repo_watchers", value)))
    assert (await client.get(DETAIL)).json()["repo_watchers"] == value
    assert (await client.get("/api/v4/packages/django-celery-email/")).json()["repo_watchers"] == value
    for record in (await client.get(LIST)).json()["results"]:
        assert (record["repo_watchers"] == value) == (record["id"] == 1599)


async def test_a_bad_field_of_a_grid_leaves_packages_alone(
    upstream: EmbeddedUpstream, client: httpx.AsyncClient
) -> None:
    upstream.faults.add(Fault(BadField(15, "title", None, kind="grids")))
    upstream.faults.add(Fault(BadField(1599, "title", None, kind="grids")))
    assert (await client.get("/api/v4/grids/15/")).json()["title"] is None
    assert (await client.get(DETAIL)).json()["title"] == "django-celery-email"


async def test_a_poisoned_row_takes_its_list_pages_with_it(
    upstream: EmbeddedUpstream, client: httpx.AsyncClient
) -> None:
    upstream.faults.add(Fault(Poisoned(2674)))
    assert (await client.get("/api/v4/packages/2674/")).status_code == 500
    assert (await client.get("/api/v4/packages/django-invitations/")).status_code == 500
    assert (await client.get("/api/v4/packages/?limit=2")).status_code == 500
    assert (await client.get("/api/v4/packages/?limit=2&offset=2")).status_code == 200
    assert (await client.get(DETAIL)).status_code == 200


async def test_effects_come_together_until_one_ends_the_request(
    upstream: EmbeddedUpstream, client: httpx.AsyncClient
) -> None:
    upstream.faults.add(Fault(ContentType("text/plain"), times=3))
    upstream.faults.add(Fault(Oversized(4_000), times=3))
    upstream.faults.add(Fault(BadField(1599, "title", 3), times=3))
    upstream.faults.add(Fault(StatusFault(404), times=1))
    upstream.faults.add(Fault(Truncated(0.5, framed=True), times=1))
    answers = [await client.get(DETAIL) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [404, 200, 200]
    assert [len(answer.content) for answer in answers] == [4_000, 2_000, 4_000]
    assert {answer.headers["content-type"] for answer in answers} == {"text/plain"}
    assert answers[2].json()["title"] == 3


async def test_an_oversized_body_is_still_json(upstream: EmbeddedUpstream, client: httpx.AsyncClient) -> None:
    upstream.faults.add(Fault(Oversized(100_000)))
    answer = await client.get(DETAIL)
    assert len(answer.content) == 100_000
    assert answer.json()["id"] == 1599


@pytest.mark.virtual_time
async def test_a_slow_body_trickles(upstream: EmbeddedUpstream, client: httpx.AsyncClient) -> None:
    whole = (await client.get(DETAIL)).content
    upstream.faults.add(Fault(Slow(chunk=200, pause=0.005)))
    assert (await client.get(DETAIL)).content == whole
    assert asyncio.get_running_loop().time() == pytest.approx(0.005 * math.ceil(len(whole) / 200))


async def test_packages_can_be_inserted_while_a_crawl_runs(
    upstream: EmbeddedUpstream, client: httpx.AsyncClient
) -> None:
    upstream.faults.add(Fault(InsertAfterList(), times=2))
    counts = [(await client.get("/api/v4/packages/?limit=1")).json()["count"] for _ in range(4)]
    assert counts == [50, 51, 52, 52]
    assert (await client.get("/api/v4/grids/")).status_code == 200


async def test_a_package_can_be_removed_while_a_crawl_runs(
    upstream: EmbeddedUpstream, client: httpx.AsyncClient
) -> None:
    upstream.faults.add(Fault(RemoveAfterList(1599)))
    counts = [(await client.get("/api/v4/packages/?limit=1")).json()["count"] for _ in range(3)]
    assert counts == [50, 49, 49]
    assert (await client.get(DETAIL)).status_code == 404


@pytest.mark.parametrize(("state", "status"), [("maintenance", 503), ("database-down", 500)])
async def test_the_whole_upstream_can_be_ill(
    state: State, status: int, upstream: EmbeddedUpstream, client: httpx.AsyncClient
) -> None:
    await client.get(DETAIL)
    upstream.faults.state = state
    for path in (DETAIL, LIST, "/api/v4/search/?q=celery"):
        answer = await client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    upstream.faults.state = "up"
    assert (await client.get(DETAIL)).status_code == 200


async def test_the_whole_upstream_can_be_down(upstream: EmbeddedUpstream, client: httpx.AsyncClient) -> None:
    upstream.faults.state = "down"
    for path in (DETAIL, LIST, "/api/v4/"):
        with pytest.raises(ConnectionResetError):
            await client.get(path)
    upstream.faults.clear()
    assert (await client.get(DETAIL)).status_code == 200


def test_an_impossible_rule_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"rate is a share from 0 to 1, not 2\."):
        Fault(Dropped(), rate=2)
    with pytest.raises(ValueError, match=r"times is at least 1, not 0\."):
        Fault(Dropped(), times=0)
    with pytest.raises(ValueError, match=r"pattern is no regular expression: .*\."):
        Fault(Dropped(), pattern="(")
