"""Tests the log of a serving process: one form for all loggers, in which no text of a stranger looks like another
line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.gateway_processes import until
from tests.support.http_servers import free_port
from tests.support.processes import running_forked

ROOT = Path(__file__).parents[3]
HOSTILE = "a\n2026-01-01T00:00:00Z error    1 gateway: forged\x1b[2J\u2028\u202eend"
PROGRAM = f"""
import logging
from web.serving.log_output import configure_logs
configure_logs({{level!r}}, {{form!r}})
hostile = {HOSTILE!r}
ours = logging.getLogger("gateway.gateway")
ours.debug("detail")
ours.info("said %s", hostile, extra={{{{"fields": {{{{"name": hostile, "count": 2, "outcome": "late"}}}}}}}})
logging.getLogger("httpx").info("an address")
logging.getLogger("mcp.server.transport_security").warning("Invalid Host header: of a stranger")
logging.getLogger("uvicorn.error").warning("of Uvicorn", extra={{{{"color_message": "coloured"}}}})
try:
    raise ValueError(hostile)
except ValueError:
    ours.exception("failed")
ours.error("x" * 10_000)
"""


def logged(level: str, form: str) -> list[str]:
    """Return the lines that a small program logs."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(level=level, form=form)],
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == b""
    return done.stderr.decode("ascii").splitlines()


def test_json_is_one_object_a_line_for_every_logger() -> None:
    records = [json.loads(line) for line in logged("info", "json")]
    assert [(record["level"], record["logger"]) for record in records] == [
        ("info", "gateway.gateway"),
        ("warning", "uvicorn.error"),
        ("error", "gateway.gateway"),
        ("error", "gateway.gateway"),
    ]
    said, of_uvicorn, failed, long = records
    assert list(said) == ["time", "level", "worker", "logger", "event", "name", "count", "outcome"]
    assert said["time"].endswith("Z")
    assert isinstance(said["worker"], int)
    assert (said["event"], said["name"]) == (f"said {HOSTILE}", HOSTILE)
    assert "color_message" not in of_uvicorn
    assert failed["exception"].endswith(HOSTILE)
    assert long["event"] == "x" * 2_000 + "..."


def test_lines_for_people_cannot_be_forged() -> None:
    lines = logged("info", "console")
    begun = [line for line in lines if not line.startswith("    ")]
    escaped = r"a\n2026-01-01T00:00:00Z error    1 gateway: forged\x1b[2J\u2028\u202eend"
    assert len(begun) == 4
    assert begun[0].partition(" gateway.gateway: ")[2] == (
        f"said {escaped} name={json.dumps(HOSTILE)} count=2 outcome=late"
    )
    traceback = lines[3:-1]
    assert traceback[0] == "    Traceback (most recent call last):"
    # The forged line is in the message of an error, which keeps its line breaks, and stays indented.
    assert traceback[-1].startswith("    2026-01-01T00:00:00Z error")


def test_the_level_decides_what_is_logged() -> None:
    levels = {level: [json.loads(line)["level"] for line in logged(level, "json")] for level in LEVELS}
    assert levels == LEVELS


LEVELS = {
    "debug": ["debug", "info", "warning", "error", "error"],
    "info": ["info", "warning", "error", "error"],
    "warning": ["warning", "error", "error"],
    "error": ["error", "error"],
}


def test_workers_say_that_they_started_and_the_first_process_that_one_died() -> None:
    port = str(free_port())
    command = ["server.py", "serve", "--port", port, "--workers", "2"]
    settings = {"GATEWAY_LOG_FORMAT": "json", "GATEWAY_CRAWL": "off"}
    records: list[dict[str, Any]] = []
    with running_forked(command, f"http://127.0.0.1:{port}/healthz", **settings) as process:
        assert process.stdout is not None
        stdout = process.stdout

        def next_event(event: str) -> dict[str, Any]:
            def read() -> dict[str, Any] | None:
                line = stdout.readline()
                if not line.startswith("{"):
                    return None
                records.append(json.loads(line))
                return records[-1] if records[-1]["event"] == event else None

            # The first process waits for a minute for one that dies while it is asked whether it lives.
            return until(read, 150)

        first, second = next_event("A worker has started."), next_event("A worker has started.")
        assert first["worker"] != second["worker"]
        os.kill(first["worker"], signal.SIGKILL)
        died = next_event("A worker died, and another one takes its place.")
        third = next_event("A worker has started.")
    assert (died["level"], died["died"], died["exit_status"]) == ("error", first["worker"], -signal.SIGKILL)
    assert third["worker"] == died["started"]
    assert died["worker"] == process.pid
