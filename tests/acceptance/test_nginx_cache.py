"""Tests nginx as a cache between the gateway and its clients. It caches what it may, and nothing else."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.support.http_servers import free_port
from tests.support.nginx_before_gateways import AROUND
from tests.support.processes import running
from tests.support.required_programs import need
from tests.support.streaming_gateway import Served, served

QUERY = "query Stars($id: Int!) { package(databaseId: $id) { title repoWatchers } }"
HASH = hashlib.sha256(QUERY.encode()).hexdigest()
BY_ID = {
    "extensions": json.dumps({"persistedQuery": {"version": 1, "sha256Hash": HASH}}),
    "variables": json.dumps({"id": 1599}),
}

CACHE = """
  proxy_cache_path {folder}/cache keys_zone=answers:1m;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass {gateway};
      proxy_cache answers;
      proxy_cache_revalidate on;
      add_header X-Cache $upstream_cache_status always;
    }}
  }}
"""


@dataclass(frozen=True, slots=True)
class Behind:
    """Holds a gateway behind nginx."""

    gateway: Served
    http: httpx.Client

    def get(self, **params: str) -> tuple[str, httpx.Response]:
        """Return the answer, and what nginx says that it did."""
        response = self.http.get("/graphql", params=params)
        return response.headers["X-Cache"], response

    def reached(self) -> int:
        """Return how many requests have looked for a cached answer at the gateway."""
        metrics = httpx.get(f"{self.gateway.address}/metrics", timeout=60).text
        return sum(
            int(float(count)) for count in re.findall(r"response_cache_requests_total{.*} (.*)", metrics)
        )


@pytest.fixture
def max_age() -> int:
    return 60


@pytest.fixture
def behind(tmp_path: Path, max_age: int) -> Iterator[Behind]:
    need("nginx")
    configuration = tmp_path / "nginx.conf"
    with served(tmp_path / "catalog.sqlite", max_age=max_age) as gateway:
        # The port is chosen here, because one of the servers above could take it before.
        port = free_port()
        address = f"http://127.0.0.1:{port}"
        inside = CACHE.format(folder=tmp_path, port=port, gateway=gateway.address)
        configuration.write_text(AROUND.format(folder=tmp_path, inside=inside))
        command = ["nginx", "-p", str(tmp_path), "-c", str(configuration), "-e", "stderr"]
        with running(command, f"{address}/healthz"), httpx.Client(base_url=address, timeout=60) as http:
            yield Behind(gateway, http)


def test_an_answer_to_a_document_by_its_id_is_asked_for_once(behind: Behind) -> None:
    did, unknown = behind.get(**BY_ID)
    assert unknown.json()["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
    assert behind.get(**BY_ID)[0] == did == "MISS"
    behind.get(**BY_ID, query=QUERY)
    before = behind.reached()
    answers = [behind.get(**BY_ID) for _ in range(5)]
    assert [did for did, _ in answers] == ["MISS", "HIT", "HIT", "HIT", "HIT"]
    assert {answer.content for _, answer in answers} == {
        b'{"data":{"package":{"title":"django-celery-email","repoWatchers":%d}}}' % stars(behind)
    }
    assert behind.reached() == before + 2


def test_an_answer_to_a_document_by_its_path_is_asked_for_once(behind: Behind) -> None:
    address = f"/graphql/persisted/{HASH}/Stars"
    params = {"variables": BY_ID["variables"]}
    unknown = [behind.http.get(address, params=params) for _ in range(2)]
    assert [(answer.status_code, answer.headers["X-Cache"]) for answer in unknown] == [(404, "MISS")] * 2
    behind.get(**BY_ID, query=QUERY)
    before = behind.reached()
    answers = [behind.http.get(address, params=params) for _ in range(5)]
    assert [answer.headers["X-Cache"] for answer in answers] == ["MISS", "HIT", "HIT", "HIT", "HIT"]
    assert {answer.json()["data"]["package"]["repoWatchers"] for answer in answers} == {stars(behind)}
    other = behind.http.get(f"/graphql/persisted/{HASH}", params=params)
    assert other.headers["X-Cache"] == "MISS"
    assert other.json() == answers[0].json()
    # One is for its path, one is for it without the name of its operation, and one is of the function stars.
    assert behind.reached() == before + 3


@pytest.mark.parametrize("max_age", [1])
def test_when_its_time_is_over_an_answer_costs_a_304_or_is_the_new_one(behind: Behind) -> None:
    def after_its_time() -> tuple[str, str]:
        did = "HIT"
        while did == "HIT":
            did, answer = behind.get(query="{ package(databaseId: 1599) { title } }")
        return did, answer.json()["data"]["package"]["title"]

    assert after_its_time() == ("MISS", "django-celery-email")
    assert after_its_time() == ("REVALIDATED", "django-celery-email")
    behind.gateway.upstream.catalog.update_package(1599, title="another title")
    behind.gateway.crawl()
    assert after_its_time() == ("EXPIRED", "another title")


@pytest.mark.parametrize(
    "query", ["{ nothing }", "{ catalog { version } }", "{ package(databaseId: 99999) { title } }"]
)
def test_errors_and_what_is_true_for_a_moment_are_asked_for_each_time(behind: Behind, query: str) -> None:
    assert [behind.get(query=query)[0] for _ in range(3)] == ["MISS"] * 3


def stars(behind: Behind) -> int:
    count: int = behind.gateway.ask("{ package(databaseId: 1599) { repoWatchers } }")["package"][
        "repoWatchers"
    ]
    return count
