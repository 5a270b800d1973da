"""Serves the gateway with one more address, which tells what its process holds: tasks and descriptors.

python -m benchmarks.soak.watched_app 8000
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from settings import read_settings
from web.serving.log_output import configure_logs
from web.serving.uvicorn_server import run
from wiring import make_app

HELD = "/soak/held"
"""The address that tells it."""

_gateway = make_app(read_settings())


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request as the gateway does, unless it is for what the process holds."""
    if scope["type"] == "http" and scope["path"] == HELD:
        tasks = Counter(_name(task) for task in asyncio.all_tasks())
        held = {"tasks": tasks, "descriptors": len(os.listdir("/proc/self/fd"))}
        await Response(json.dumps(held), media_type="application/json")(scope, receive, send)
    else:
        await _gateway(scope, receive, send)


def _name(task: asyncio.Task[object]) -> str:
    """Return the name of the function that a task runs."""
    return getattr(task.get_coro(), "__qualname__", "another awaitable")


if __name__ == "__main__":
    configure_logs("warning", "console")
    run(
        "benchmarks.soak.watched_app:app", host="127.0.0.1", port=int(sys.argv[1]), workers=1, idle_seconds=15
    )
