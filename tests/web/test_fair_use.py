"""Tests what clients are told when they use up their allowance, whichever way they ask, and what requests cost them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

import setting_groups
from catalog import Catalog, Snapshot
from gateway.fair_use import FairUse
from gateway.prepared_request import GraphQLRequest
from tests.support.gateway_in_process import app_over, client_of
from tests.support.settings_for_tests import settings_for_tests
from upstream.embedded import EmbeddedUpstream
from web.app import GatewayApp

SECRET = "a-secret-of-the-router"
CHEAP = "{ __typename }"
"""A query of one unit."""
DEAR = "{ packages(first: 20) { nodes { title grids { title } } } }"
FEW = 4
"""Units of an allowance of which one comes back in 15 seconds."""
MANY = 100_000_000
BEHIND_A_PROXY: dict[str, Any] = {"trusted_proxies": "127.0.0.1/32", "router_secret": SECRET}


Limited = Callable[..., AbstractAsyncContextManager[tuple[httpx.AsyncClient, FairUse, GatewayApp]]]


@pytest.fixture
def limited(embedded: EmbeddedUpstream, _crawled: Catalog) -> Limited:
    """Opens a gateway that knows the catalog and has read the queries of this file, with such an allowance."""

    @asynccontextmanager
    async def opened(
        units: int, **settings: Any
    ) -> AsyncIterator[tuple[httpx.AsyncClient, FairUse, GatewayApp]]:
        app = app_over(embedded, fair_use=str(units), **(BEHIND_A_PROXY | settings))
        async with client_of(app) as http:
            gateway = app.parts.gateway
            app.parts.source.publisher.snapshot = Snapshot(_crawled, datetime.now(UTC))
            for query in (CHEAP, DEAR):
                await gateway.documents.find_aside(query)
            assert gateway.fair_use is not None
            yield http, gateway.fair_use, app

    return opened


def asked(query: str, **headers: str) -> dict[str, Any]:
    """Return a request, with the names of headers in the way of Python."""
    return {
        "json": {"query": query},
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
    }


def fields(answer: httpx.Response) -> tuple[int, int, int]:
    """Return the allowance that an answer tells of: its units, those that remain, and the seconds until all are
    there."""
    policy = re.fullmatch(r'"default";q=(\d+);w=60', answer.headers["RateLimit-Policy"])
    now = re.fullmatch(r'"default";r=(\d+);t=(\d+)', answer.headers["RateLimit"])
    assert policy
    assert now
    return int(policy[1]), int(now[1]), int(now[2])


async def predicted(app: GatewayApp, query: str) -> int:
    gateway = app.parts.gateway
    prepared = await gateway.prepare(GraphQLRequest(query), gateway.source.current())
    assert prepared.prediction is not None
    return prepared.prediction.cost.units


async def test_a_client_that_has_used_up_its_allowance_is_answered_429(limited: Limited) -> None:
    async with limited(FEW) as (http, _, _):
        for _ in range(FEW):
            assert (await http.post("/graphql", **asked(CHEAP))).status_code == 200
        refused = await http.post("/graphql", **asked(CHEAP))
        assert refused.status_code == 429
        (error,) = refused.json()["errors"]
        seconds = int(refused.headers["Retry-After"])
        assert 0 < seconds <= 15
        assert error == {
            "message": "The cost of this request is 1, and you have 0 of the 4 units that a client may use in 60 "
            f"seconds. Try again in {seconds} s.",
            "extensions": {"code": "RATE_LIMITED", "retryAfter": seconds},
        }
        assert refused.headers["Cache-Control"] == "no-store"
        assert fields(refused)[:2] == (FEW, 0)
        # Others have theirs.
        other = await http.post("/graphql", **asked(CHEAP, X_Forwarded_For="192.0.2.1"))
        assert other.status_code == 200


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("application/graphql-response+json", "application/graphql-response+json"),
        ("application/json", "application/graphql-response+json"),
        ("*/*", "application/json"),
        ("text/event-stream", "application/json"),
    ],
)
async def test_the_refusal_has_the_type_that_the_client_takes(
    limited: Limited, accept: str, media_type: str
) -> None:
    async with limited(FEW) as (http, fair_use, _):
        await fair_use.take("127.0.0.1", FEW)
        await fair_use.take("127.0.0.1", 1)
        for method in ("GET", "POST", "QUERY"):
            sent = asked(CHEAP, Accept=accept) | ({"params": {"query": CHEAP}} if method == "GET" else {})
            refused = await http.request(method, "/graphql", **sent)
            assert refused.status_code == 429
            assert refused.headers["Content-Type"] == f"{media_type}; charset=utf-8"


async def test_answers_that_caches_may_give_to_others_tell_of_no_allowance(
    limited: Limited,
) -> None:
    async with limited(MANY) as (http, _, app):
        for _ in range(3):
            public = await http.post("/graphql", **asked(DEAR))
            assert public.headers["Cache-Control"].startswith("public")
            assert not {"ratelimit", "ratelimit-policy"} & public.headers.keys()
        own = await http.post("/graphql", **asked(DEAR, X_Gateway_Receipt="1"))
        assert own.headers["Cache-Control"] == "no-store"
        units, remaining, seconds = fields(own)
        assert units == MANY
        assert MANY - 3 - 2 * await predicted(app, DEAR) <= remaining <= MANY
        assert 0 <= seconds <= 60
        wrong = await http.post("/graphql", json={})
        assert (wrong.status_code, fields(wrong)[0]) == (422, MANY)
        exposed = own.headers["Access-Control-Expose-Headers"]
        assert exposed == "Age, ETag, Retry-After, RateLimit, RateLimit-Policy"


async def test_an_operation_costs_what_is_predicted_and_a_cached_answer_one_unit(
    limited: Limited,
) -> None:
    async with limited(MANY, batch_limit=5) as (http, fair_use, app):
        units = await predicted(app, DEAR)
        assert units > 20

        async def cost(method: str = "POST", **request: Any) -> int:
            before = fair_use.taken
            assert (await http.request(method, "/graphql", **request)).status_code in (200, 304)
            return fair_use.taken - before

        assert await cost(**asked(DEAR)) == units
        assert await cost(**asked(DEAR)) == 1
        assert await cost("GET", params={"query": DEAR}) == 1
        assert await cost(**asked(DEAR, X_Gateway_Receipt="1")) == units
        tag = (await http.get("/graphql", params={"query": DEAR})).headers["ETag"]
        again = asked(DEAR, If_None_Match=tag)
        assert await cost("GET", params={"query": DEAR}, headers=again["headers"]) == 1
        assert await cost(json=[{"query": DEAR}, {"query": CHEAP}]) == units + 1
        # An explanation is planned, which costs as much as to read the document.
        assert await cost(**asked(DEAR, X_Gateway_Explain="1")) == 1 + 4 * len(DEAR)
        # One that has to be read first costs 4 units a character.
        new = "{ " + DEAR[1:]
        assert await cost(**asked(new)) == units + 4 * len(new)
        large = "{ packages(first: 100) { nodes { title slug repoDescription repoUrl documentationUrl pypiUrl } } }"
        await http.post("/graphql", **asked(large))
        body = (await http.post("/graphql", **asked(large))).content
        assert len(body) > 10_000
        sent = asked(large, Accept_Encoding="identity")
        await http.post("/graphql", **sent)
        assert await cost(**sent) == 1 + len(body) // 10_000
        for path in ("/", "/healthz", "/docs/fair-use.md", "/schema.graphql"):
            before = fair_use.taken
            assert (await http.get(path)).status_code == 200
            assert fair_use.taken == before


async def test_an_operation_that_takes_far_more_work_than_was_predicted_is_charged_for_it(
    limited: Limited,
) -> None:
    async with limited(MANY) as (http, fair_use, _):
        for values, more in ((900, 0), (1_200, 1_000)):
            before = fair_use.taken
            request = {"query": CHEAP, "variables": {"unused": [1] * values}}
            assert (await http.post("/graphql", json=request)).status_code == 200
            # Ten steps for each value, and two steps are a unit.
            assert more <= fair_use.taken - before - 1 < more + 20


async def test_an_operation_that_costs_more_than_is_left_is_not_run(limited: Limited) -> None:
    async with limited(FEW) as (http, fair_use, app):
        await fair_use.take("127.0.0.1", 2)
        made = app.parts.gateway.measurements.from_memory
        refused = await http.post("/graphql", **asked(DEAR))
        assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (
            429,
            "RATE_LIMITED",
        )
        assert "data" not in refused.json()
        assert int(refused.headers["Retry-After"]) == refused.json()["errors"][0]["extensions"]["retryAfter"]
        assert app.parts.gateway.measurements.from_memory == made
        unknown = await http.post("/graphql", **asked("{ __typename # which is not known yet\n}"))
        assert unknown.status_code == 429
        metrics = (await http.get("/metrics")).text
        assert "gateway_fair_use_refused_total 2.0" in metrics
        assert "gateway_fair_use_units_total 4.0" in metrics


async def test_parts_and_events_have_the_error_in_their_place(limited: Limited) -> None:
    async with limited(FEW) as (http, fair_use, app):
        query = "{ ... @defer { packages(first: 20) { nodes { title } } } }"
        await app.parts.gateway.documents.find_aside(query)
        for accept, text in (("multipart/mixed", query), ("text/event-stream", DEAR)):
            client = f"192.0.2.{len(text)}"
            await fair_use.take(client, 2)
            sent = asked(text, Accept=accept, X_Forwarded_For=client)
            answer = await http.post("/graphql", **sent)
            assert answer.status_code == 200
            assert answer.headers["Content-Type"].startswith(accept)
            assert '"code":"RATE_LIMITED"' in answer.text
            assert fields(answer)[0] == FEW


async def test_the_router_has_an_allowance_of_its_own(limited: Limited) -> None:
    async with limited(1, fair_use_router="3") as (http, _, _):
        for number in range(4):
            # Wherever it is.
            sent = asked(CHEAP, Router_Authorization=SECRET, X_Forwarded_For=f"192.0.2.{number}")
            assert (await http.post("/graphql", **sent)).status_code == (200 if number < 3 else 429)
        wrong = asked(CHEAP, Router_Authorization="not-the-secret-of-it")
        assert [(await http.post("/graphql", **wrong)).status_code for _ in range(2)] == [200, 429]
    async with limited(1, fair_use_router="off") as (http, _, _):
        for _ in range(5):
            free = await http.post("/graphql", **asked(CHEAP, Router_Authorization=SECRET))
            assert free.status_code == 200
            assert "RateLimit" not in free.headers


async def test_nobody_gets_another_allowance_by_what_it_says_of_itself(limited: Limited) -> None:
    async with limited(1, trusted_proxies="10.0.0.0/8") as (http, _, _):
        statuses = [
            (await http.post("/graphql", **asked(CHEAP, X_Forwarded_For=f"192.0.2.{number}"))).status_code
            for number in range(3)
        ]
        assert statuses == [200, 429, 429]


@pytest.mark.parametrize(
    "addresses",
    [(None, None), ("2001:db8:1:2::1", "2001:db8:1:2:ffff::2"), ("::ffff:192.0.2.1", "192.0.2.1")],
)
async def test_addresses_of_one_client_have_one_allowance(
    limited: Limited, addresses: tuple[str | None, str | None]
) -> None:
    async with limited(1) as (_, _, app):
        statuses = []
        for address in addresses:
            peer: Any = None if address is None else (address, 50_000)
            transport = httpx.ASGITransport(app, client=peer)
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as http:
                statuses.append((await http.post("/graphql", **asked(CHEAP))).status_code)
        assert statuses == [200, 429]


def test_it_is_off_on_loopback_and_on_elsewhere() -> None:
    assert setting_groups.fair_use(settings_for_tests()) is None
    assert setting_groups.fair_use(settings_for_tests(host="0.0.0.0", fair_use="off")) is None
    for settings, units in (({"host": "0.0.0.0"}, 600_000), ({"fair_use": "5000"}, 5_000)):
        fair_use = setting_groups.fair_use(settings_for_tests(**settings))
        assert fair_use is not None
        allowance, of_router = fair_use.allowance("192.0.2.1"), fair_use.allowance("router")
        assert allowance is not None
        assert of_router is not None
        assert (allowance.units, of_router.units) == (units, 6_000_000)


async def test_without_it_nothing_is_told(embedded: EmbeddedUpstream) -> None:
    async with client_of(app_over(embedded)) as http:
        answer = await http.post("/graphql", **asked(DEAR, X_Gateway_Receipt="1"))
        assert not {"ratelimit", "ratelimit-policy"} & answer.headers.keys()
        metrics = (await http.get("/metrics")).text.splitlines()
        assert not any(line.startswith("gateway_fair_use") for line in metrics)
