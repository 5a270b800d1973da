"""Makes the attacks by many clients at once, over connections of HTTP."""

from __future__ import annotations

import asyncio
import itertools
import json
import time

from benchmarks.attack.case import Case, Scale
from benchmarks.attack.load import AttackClient, Sent, again_and_again, connected, raw, still_open
from benchmarks.attack.single_requests import DEAREST, LARGEST
from benchmarks.attack.target import Target, control, upstream_requests

ANSWER_OF_MEGABYTES = (
    "{packages(first:100){nodes{a%d:title grids{packages{title slug repoUrl repoDescription participants}}}}}"
)
"""About what the limits admit: 2 to 10 MB."""
SEARCH = 's%d:search(query:"django %d",first:20){totalCount}'

_numbers = itertools.count()


async def _nobody(target: Target, scale: Scale, sent: Sent) -> None:
    """Attack nobody, to see what newcomers wait without."""
    await asyncio.sleep(scale.seconds(4))


async def _new_texts(target: Target, scale: Scale, sent: Sent) -> None:
    """Send the cheapest query, each time with another comment, from clients that keep their connections."""
    clients = scale.count(50)
    async with AttackClient(target, sent, clients) as client:

        async def send(_turn: int) -> None:
            await client.post(f"{{__typename}} # {next(_numbers)}")

        await again_and_again(clients, scale.seconds(8), 1_000_000, send)


async def _dearest(target: Target, scale: Scale, sent: Sent) -> None:
    """Send what costs the most of what the limits admit, each time as another text."""
    clients = scale.count(50)
    async with AttackClient(target, sent, clients) as client:

        async def send(_turn: int) -> None:
            await client.post(f"{DEAREST} # {next(_numbers)}")

        await again_and_again(clients, scale.seconds(8), 2_000, send)


async def _overload(target: Target, scale: Scale, sent: Sent) -> None:
    """Send twice what the gateway can answer, over new connections, whether or not it answers."""
    first: list[float] = []
    async with AttackClient(target, sent, 2000) as client:
        query = "{packages(first:100){nodes{title grids{title packages{title slug}}}}}"
        started = time.monotonic()
        for _ in range(5):
            await client.post(f"{query} # {next(_numbers)}")
        rate = 2 * 5 / (time.monotonic() - started)
        tasks = []

        async def one() -> None:
            asked = time.monotonic()
            await client.post(f"{query} # {next(_numbers)}")
            first.append(time.monotonic() - asked)

        seconds = scale.seconds(8)
        for turn in range(min(4000, round(seconds * rate))):
            await asyncio.sleep(max(0, started + turn / rate - time.monotonic()))
            tasks.append(asyncio.create_task(one()))
        sending_ended = time.monotonic()
        _done, late = await asyncio.wait(tasks, timeout=20)
        for task in late:
            task.cancel()
    first.sort()
    if first:
        drained = time.monotonic() - sending_ended
        median, most = first[len(first) // 2], first[int(len(first) * 0.99)]
        sent.note = f"{rate:.0f}/s: p50 {median:.1f} s, p99 {most:.1f} s, drained after {drained:.0f} s"


async def _live_searches(target: Target, scale: Scale, sent: Sent) -> None:
    """Let four clients search, 50 times in a request, by words that nobody searched for."""
    assert target.upstream is not None
    control(target.upstream, "reset")
    async with AttackClient(target, sent, 4) as client:

        async def send(_turn: int) -> None:
            start = next(_numbers) * 50
            await client.post(f"{{{' '.join(SEARCH % (each, start + each) for each in range(50))}}}")

        seconds = scale.seconds(6)
        await again_and_again(4, seconds, 400, send)
    counted = upstream_requests(target.upstream)
    sent.note = f"{counted['total']} requests at upstream in {seconds:.0f} s, {counted['at once']} at once"


async def _idle(target: Target, scale: Scale, sent: Sent) -> None:
    """Hold connections: half of them say nothing, the others begin a head and go on byte by byte."""
    silent = await connected(target, scale.count(1000))
    slow = await connected(target, scale.count(1000), b"GET /healthz HTTP/1.1\r\nX-Slow: ")
    sent.bytes_in = len(slow) * 34
    ends = time.monotonic() + scale.seconds(14)
    while time.monotonic() < ends:
        for _reader, writer in slow:
            writer.write(b"x")
        sent.bytes_in += len(slow)
        await asyncio.sleep(1)
    made = len(silent) + len(slow)
    sent.note = f"{await still_open(silent + slow)} of {made} still open after 14 s"


async def _slow_bodies(target: Target, scale: Scale, sent: Sent) -> None:
    """Announce bodies and send a byte a second."""
    whole = raw(target, b'{"query":"{__typename}"}')
    count = scale.count(300)
    slow = await connected(target, count, whole[:-20])
    for _ in range(19):
        await asyncio.sleep(1 if scale.share == 1 else 0.02)
        for _reader, writer in slow:
            writer.write(b" ")
    statuses = await asyncio.gather(*(_status(reader) for reader, _writer in slow))
    for status in statuses:
        sent.answers[status] += 1
    for _reader, writer in slow:
        writer.close()
    sent.bytes_in = count * len(whole)


async def _status(reader: asyncio.StreamReader) -> str:
    try:
        async with asyncio.timeout(3):
            return (await reader.readline()).decode("latin-1").split()[1]
    except (OSError, TimeoutError, IndexError):
        return "no answer"


async def _do_not_read(target: Target, scale: Scale, sent: Sent) -> None:
    """Ask for the largest answers there are, and read none of them."""
    before = target.resident_bytes()
    bodies = [json.dumps({"query": LARGEST + f" # {next(_numbers)}"}).encode() for _ in range(4)]
    bodies += [json.dumps({"query": ANSWER_OF_MEGABYTES % next(_numbers)}).encode() for _ in range(4)]
    made = []
    for body in bodies[: scale.count(8)]:
        sent.bytes_in += len(body)
        made += await connected(target, 1, raw(target, body))
    most = before
    ends = time.monotonic() + scale.seconds(14)
    while time.monotonic() < ends:
        await asyncio.sleep(0.25)
        most = max(most, target.resident_bytes())
    for _reader, writer in made:
        writer.transport.abort()
    sent.note = f"memory {before / 1e6:.0f} -> {most / 1e6:.0f} MB"


CASES = (
    Case("nobody attacks", "newcomers: p50 7 ms, p99 46 ms", _nobody),
    Case("50 clients with new texts", "newcomers: p50 27.5 s, p99 30 s, 76 of 160 time out", _new_texts),
    Case("50 clients with the dearest query", "160 of 160 newcomers time out", _dearest),
    Case("twice the capacity for 8 s", "p50 12.4 s, p99 25 s, drained after 33 s", _overload, limit=40),
    Case(
        "4 clients x 50 live searches",
        "223 a second at upstream, 32 at once",
        _live_searches,
        needs_upstream=True,
    ),
    Case("2,000 idle connections, 1,000 of slow heads", "never closed in 29 s, +5 MB", _idle, limit=30),
    Case("300 slow bodies", "all 408 after 20 s", _slow_bodies, limit=30),
    Case("8 clients that do not read large answers", "memory 192 -> 956 MB", _do_not_read),
)
