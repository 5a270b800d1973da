"""Tests several workers behind one port. One scrape has all of them, a dead one is replaced, and all can be replaced.

The tests share a server and come one after another, because a worker takes a second of processor time to start.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.gateway_processes import eventually
from tests.support.http_servers import free_port
from tests.support.processes import running
from tests.support.steady_clients import asking
from web.serving.worker_supervision import LONGEST_SILENCE

WORKERS = 3
Sample = tuple[str, frozenset[tuple[str, str]]]
Samples = dict[Sample, float]


@pytest.fixture(scope="module")
def server() -> Iterator[subprocess.Popen[str]]:
    """Start them without a catalog, which none of them needs here."""
    port = str(free_port())
    command = [sys.executable, "server.py", "serve", "--port", port, "--workers", str(WORKERS)]
    environment = {"GATEWAY_CRAWL": "off", "GATEWAY_LOG_LEVEL": "error"}
    with running(command, f"http://127.0.0.1:{port}/healthz", **environment) as process:
        yield process


@pytest.fixture(scope="module")
def client(server: subprocess.Popen[str]) -> Iterator[httpx.Client]:
    """Return a client that connects anew for each request, so that any worker may answer it."""
    port = list(server.args)[4]  # type: ignore[arg-type]
    address = f"http://127.0.0.1:{port!s}"
    with httpx.Client(base_url=address, headers={"Connection": "close"}, timeout=60, verify=False) as client:
        yield client


def scrape(client: httpx.Client) -> Samples:
    """Return all samples, from the worker that takes the connection."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(client.get("/metrics").text)
        for sample in family.samples
    }


def scrape_until(client: httpx.Client, holds: Callable[[Samples], bool], seconds: float = 300) -> Samples:
    """Scrape as often as Prometheus never would, until the samples are as they should be."""
    deadline = time.monotonic() + seconds
    while not holds(samples := scrape(client)):
        assert time.monotonic() < deadline, samples
        time.sleep(0.3)
    return samples


def only_grows(sample: Sample) -> bool:
    name, labels = sample
    return name.endswith(("_total", "_bucket", "_sum", "_count")) and "worker" not in dict(labels)


def asked(samples: Samples) -> float:
    """Return how many operations came by POST and were answered."""
    labels = {"method": "POST", "handler": "/graphql", "status": "200"}
    return samples.get(("http_requests_total", frozenset(labels.items())), 0)


def workers(samples: Samples) -> set[int]:
    """Return the ids of the processes of workers."""
    return {
        int(dict(labels)["worker"]) for name, labels in samples if name == "process_resident_memory_bytes"
    }


def deaths(samples: Samples) -> float:
    return samples[("gateway_worker_deaths_total", frozenset())]


def have_not_gone_back(before: Samples, after: Samples) -> bool:
    return all(after.get(sample, 0) >= value for sample, value in before.items() if only_grows(sample))


def test_every_scrape_has_what_all_workers_counted_and_none_goes_back(client: httpx.Client) -> None:
    before = asked(scrape_until(client, lambda samples: len(workers(samples)) == WORKERS))
    for _ in range(30):
        assert client.post("/graphql", json={"query": "{ __typename }"}).status_code == 200
    seen = [scrape(client) for _ in range(8)]
    assert all(map(have_not_gone_back, seen, seen[1:]))
    # What other workers did in the last half second comes with their next report.
    scrape_until(client, lambda samples: asked(samples) >= before + 30)
    assert {asked(scrape(client)) for _ in range(8)} == {before + 30}
    assert deaths(seen[-1]) == 0
    closed = ("gateway_upstream_breaker", frozenset({("state", "closed")}))
    assert seen[-1][closed] == WORKERS


def test_a_killed_worker_is_replaced_and_counted_and_what_it_counted_stays(client: httpx.Client) -> None:
    before = scrape(client)
    killed = min(workers(before))
    os.kill(killed, signal.SIGKILL)
    scrape_until(client, lambda samples: deaths(samples) == 1)
    after = scrape_until(client, lambda samples: len(workers(samples) - {killed}) == WORKERS)
    assert killed not in workers(after)
    assert have_not_gone_back(before, after)


def test_a_worker_that_dies_while_it_is_asked_whether_it_lives_is_replaced_at_once(
    client: httpx.Client,
) -> None:
    died = deaths(before := scrape(client))
    silent = min(workers(before))
    os.kill(silent, signal.SIGSTOP)
    time.sleep(2)  # the first process asks every half second
    os.kill(silent, signal.SIGKILL)
    scrape_until(client, lambda samples: deaths(samples) == died + 1, seconds=LONGEST_SILENCE / 2)
    scrape_until(client, lambda samples: len(workers(samples) - {silent}) == WORKERS)


async def test_replacing_all_workers_refuses_no_connection_and_breaks_no_answer(
    server: subprocess.Popen[str], client: httpx.Client
) -> None:
    outcomes, enough = Counter[str](), asyncio.Event()
    before = await asyncio.to_thread(scrape, client)
    asked_by = [
        asyncio.create_task(
            asking(
                str(client.base_url).rstrip("/"),
                outcomes,
                number,
                anew=True,
                query="{ __typename }",
                pause=0.1,
                enough=enough,
            )
        )
        for number in range(4)
    ]
    await eventually(lambda: outcomes["200"] >= 20)
    server.send_signal(signal.SIGHUP)
    await asyncio.to_thread(scrape_until, client, lambda samples: not workers(samples) & workers(before))
    by_then = outcomes["200"]
    await eventually(lambda: outcomes["200"] >= by_then + 20)
    enough.set()
    await asyncio.gather(*asked_by)
    assert outcomes.keys() == {"200"}
    after = await asyncio.to_thread(scrape, client)
    assert len(workers(after)) == WORKERS
    assert deaths(after) == deaths(before)
    assert have_not_gone_back(before, after)


def test_no_worker_is_left_when_the_first_process_is_killed(
    server: subprocess.Popen[str], client: httpx.Client
) -> None:
    """This is the last test of the file, because the server is gone then."""
    scrape(client)
    server.kill()
    server.wait()
    deadline = time.monotonic() + 60
    while not is_refused(client):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def is_refused(client: httpx.Client) -> bool:
    """Return whether nobody listens at the port."""
    try:
        client.get("/healthz")
    except httpx.ConnectError:
        return True
    except httpx.TransportError:
        return False  # The worker that had the connection has stopped.
    return False
