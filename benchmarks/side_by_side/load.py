"""Makes load by wrk: a number of connections, each with one request under way, for a number of seconds."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.side_by_side.processes import Running, busy_seconds
from benchmarks.side_by_side.workload import NONCE

DISTURBED = 0.15
"""Cores used by other work on the machine, above which a figure says less of what is measured."""

SLOWEST = 15
"""Seconds after which wrk gives an answer up."""

SCRIPT = r"""
local bodies = {}
for line in io.lines(os.getenv("BODIES")) do bodies[#bodies + 1] = line end
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = bodies[1]

local nonce = os.getenv("NONCE")
if #bodies > 1 or bodies[1]:find(nonce, 1, true) then
  local before, after, turn, count = {}, {}, 0, os.time() % 1000 * 100000
  function init()
    for i, body in ipairs(bodies) do
      local request = wrk.format(nil, nil, nil, body)
      local first, last = request:find(nonce, 1, true)
      before[i], after[i] = request, nil
      if first then before[i], after[i] = request:sub(1, first - 1), request:sub(last + 1) end
    end
  end
  function request()
    turn = turn % #bodies + 1
    if not after[turn] then return before[turn] end
    count = count + 1
    return before[turn] .. string.format("nonce_%08d", count % 100000000) .. after[turn]
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('\nmeasured {"requests":%d,"bytes":%d,"seconds":%f,"p50":%f,"p99":%f,"errors":%d}\n',
    summary.requests, summary.bytes, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


class LoadFailed(Exception):
    """Says that wrk ended without figures."""


@dataclass(frozen=True)
class Load:
    """Holds what one run of wrk saw. ``p50`` and ``p99`` are in milliseconds."""

    rate: float
    """Answers a second."""
    size: float
    """Bytes of an answer with its headers, on average."""
    p50: float
    p99: float
    errors: int
    """Requests without an answer, or with a status that is no success."""
    busy: float
    """The share of its core that the gateway used: far below 1, something else was the limit."""
    processor_ms: float
    """Processor time of the gateway for each answer."""
    disturbance: float
    """Processor cores used by what is no part of the benchmark."""

    @property
    def is_disturbed(self) -> bool:
        """Return whether other work on the machine had a part in it."""
        return self.disturbance > DISTURBED


def load(
    gateway: Running,
    address: str,
    bodies: Sequence[str],
    *,
    seconds: int,
    connections: int,
    folder: Path,
    others: Sequence[Running] = (),
) -> Load:
    """Post the bodies in turn, again and again. ``others`` are the benchmark's processes besides."""
    script, posted = folder / "load.lua", folder / "bodies"
    script.write_text(SCRIPT)
    posted.write_text("".join(f"{body}\n" for body in bodies))
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        "--timeout",
        f"{SLOWEST}s",
        "-s",
        str(script),
    ]

    def used() -> tuple[float, float, float]:
        times = os.times()
        own = times.user + times.system + times.children_user + times.children_system
        gateways = gateway.processor_seconds()
        benchmarks = own + gateways + sum(other.processor_seconds() for other in others)
        return time.perf_counter(), gateways, busy_seconds() - benchmarks

    began, used_before, foreign_before = used()
    done = subprocess.run(
        [*command, address],
        env={**os.environ, "BODIES": str(posted), "NONCE": NONCE},
        capture_output=True,
        text=True,
        timeout=seconds + 4 * SLOWEST,
        check=False,
    )
    ended, used_after, foreign_after = used()
    _, found, line = done.stdout.partition("\nmeasured ")
    if not found:
        raise LoadFailed(f"wrk failed: {done.stdout}{done.stderr}")
    measured = json.loads(line)
    return Load(
        rate=measured["requests"] / measured["seconds"],
        size=measured["bytes"] / max(1, measured["requests"]),
        p50=measured["p50"],
        p99=measured["p99"],
        errors=measured["errors"],
        busy=(used_after - used_before) / (ended - began),
        processor_ms=1e3 * (used_after - used_before) / max(1, measured["requests"]),
        disturbance=max(0.0, foreign_after - foreign_before) / (ended - began),
    )
