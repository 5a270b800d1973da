"""Serves the app of ``sharing_app`` by the gateway's own server, which writes a response in one piece: a kill between
the pieces of a response would cut it off.

    python -m tests.support.sharing_server 8000
"""

from __future__ import annotations

import sys

from web.serving.uvicorn_server import run

if __name__ == "__main__":
    run(
        "tests.support.sharing_app:served",
        host="127.0.0.1",
        port=int(sys.argv[1]),
        workers=1,
        idle_seconds=15,
    )
