"""Measures each attack: bytes, processor time, the worst turn of the loop, and the waits of newcomers."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from benchmarks.attack.case import Case, Scale
from benchmarks.attack.load import Sent
from benchmarks.attack.target import Target, started
from benchmarks.side_by_side.processes import ROOT, DidNotStart

REST = 30.0
"""Seconds that a gateway has to answer ``/healthz`` quickly again before the next attack comes all the same."""
PROBE_ENDS = 20.0
"""Seconds that the probe has to say what it saw."""


@dataclass
class AttackFigures:
    """Holds a line of the table. Times are in seconds, and ``None`` was not measured."""

    name: str
    before: str
    sent: Sent = field(default_factory=Sent)
    seconds: float = 0.0
    processor: float | None = None
    worst_turn: float | None = None
    newcomers_p99: float | None = None
    cut_off: bool = False
    """Whether it was ended because it took too long."""


async def attacked(
    case: Case, target: Target | None, scale: Scale, packages: int, core: int, left: float
) -> AttackFigures:
    """Return the row of an attack. ``left`` is the seconds that remain for all of them."""
    row = AttackFigures(case.name, case.before)
    limit = min(case.limit, left)
    if case.own_gateway:
        try:
            with started(packages, core, lies=case.own_gateway == "lying") as own:
                await _run(case, own, scale, row, limit)
        except DidNotStart as error:
            row.sent.note = " ".join(str(error).split())[:80]
        return row
    assert target is not None
    if case.needs_upstream and target.upstream is None:
        row.sent.note = "not run: it needs the embedded upstream behind the gateway"
        return row
    used = target.process.processor_seconds()
    async with _watched(target, row):
        await _run(case, target, scale, row, limit)
    row.processor = target.process.processor_seconds() - used
    await _rested(target)
    return row


async def _run(case: Case, target: Target, scale: Scale, row: AttackFigures, limit: float) -> None:
    began = time.monotonic()
    try:
        async with asyncio.timeout(limit):
            await case.run(target, scale, row.sent)
    except TimeoutError:
        row.cut_off = True
    row.seconds = time.monotonic() - began


@asynccontextmanager
async def _watched(target: Target, row: AttackFigures) -> AsyncIterator[None]:
    probe = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.attack.probe", target.host, str(target.port)),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        await asyncio.sleep(0.3)  # until it has started, and a little of what is without the attack
        yield
        await asyncio.sleep(0.3)
    finally:
        try:
            async with asyncio.timeout(PROBE_ENDS):
                told, _errors = await probe.communicate(b"")
        except TimeoutError:
            probe.kill()
            await probe.wait()
            raise
    seen = json.loads(told)
    row.worst_turn = max(seen["turns"], default=None)
    row.newcomers_p99 = _quantile(seen["newcomers"], 0.99)


async def _rested(target: Target) -> None:
    """Wait until the gateway has got over it, for a while."""
    ends = time.monotonic() + REST
    quick = 0
    while quick < 3 and time.monotonic() < ends:
        asked = time.monotonic()
        await asyncio.to_thread(_health, target)
        quick = quick + 1 if time.monotonic() - asked < 0.05 else 0
        await asyncio.sleep(0.02)


def _health(target: Target) -> None:
    with suppress(OSError), urllib.request.urlopen(f"{target.address}/healthz", timeout=REST) as answer:
        answer.read()


def _quantile(values: Sequence[float], share: float) -> float | None:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else None


def machine() -> str:
    """Return what it ran on, in words."""
    return f"{os.cpu_count()} processor cores, Python {sys.version.split()[0]}"
