"""The counts that others rely on when they promise few requests."""

import asyncio

import httpx

from upstream.embedded import EmbeddedUpstream, Fault, Slow, StatusFault


async def test_requests_are_counted_exactly_and_in_order() -> None:
    upstream = EmbeddedUpstream(packages=5)
    transport = httpx.ASGITransport(app=upstream)
    async with httpx.AsyncClient(transport=transport, base_url="http://v4") as client:
        sizes = [
            len((await client.get("/api/v4/packages/1599/")).content),
            len((await client.get("/api/v4/packages/1599/")).content),
            len((await client.get("/api/v4/packages/?limit=2&a=%20")).content),
            len((await client.head("/api/v4/packages/683/")).content),
        ]
    log = upstream.requests
    assert log.total == 4
    assert log.by_target == {
        "/api/v4/packages/1599/": 2,
        "/api/v4/packages/?limit=2&a=%20": 1,
        "/api/v4/packages/683/": 1,
    }
    assert list(log.listed)[2:] == [
        ("GET", "/api/v4/packages/?limit=2&a=%20"),
        ("HEAD", "/api/v4/packages/683/"),
    ]
    assert log.bytes == sum(sizes)
    assert log.max_concurrency == 1
    assert log.longest_chain == 4
    log.reset()
    assert (log.total, log.bytes, log.max_concurrency, log.longest_chain) == (0, 0, 0, 0)
    assert not log.by_target
    assert not log.listed


async def test_requests_together_are_one_round() -> None:
    upstream = EmbeddedUpstream(packages=50, latency=0.01)
    transport = httpx.ASGITransport(app=upstream)
    async with httpx.AsyncClient(transport=transport, base_url="http://v4") as client:
        for number in (3, 5):
            await asyncio.gather(*(client.get(f"/api/v4/packages/{key}/") for key in range(number)))
    assert upstream.requests.total == 8
    assert upstream.requests.max_concurrency == 5
    assert upstream.requests.longest_chain == 2


async def test_failed_and_slow_requests_are_counted_too() -> None:
    upstream = EmbeddedUpstream(packages=5)
    upstream.faults.add(Fault(StatusFault(500), times=1))
    upstream.faults.add(Fault(Slow(100, 0), times=1))
    transport = httpx.ASGITransport(app=upstream)
    async with httpx.AsyncClient(transport=transport, base_url="http://v4") as client:
        answers = [await client.get("/api/v4/packages/1599/") for _ in range(2)]
    assert upstream.requests.total == 2
    assert upstream.requests.bytes == sum(len(answer.content) for answer in answers)
