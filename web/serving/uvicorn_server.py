"""Runs the server: Uvicorn with the gateway's protocols and its loop, in one process or several."""

from __future__ import annotations

import sys
from contextlib import ExitStack, suppress
from socket import socket

from uvicorn import Config, Server
from uvicorn.config import STARTUP_FAILURE

from telemetry import folder_for_workers
from web.request_parsing import MAX_BODY
from web.serving.accepting_loop import admit_no_more
from web.serving.repeated_request_protocol import RepeatedRequestProtocol
from web.serving.uvicorn_protocols import LONGEST_STOP, SocketProtocol
from web.serving.worker_supervision import LONGEST_SILENCE, WorkerSupervisor


def run(app: str, *, host: str, port: int, workers: int, idle_seconds: int) -> None:
    """Serve the app with this import name until a signal says to stop."""
    config = Config(
        app,
        host=host,
        port=port,
        workers=workers,
        loop="web.serving.accepting_loop:Loop",
        http=RepeatedRequestProtocol,
        ws=SocketProtocol,
        ws_max_size=MAX_BODY,
        timeout_keep_alive=idle_seconds,
        # The protocols cut off connections that last longer than this, so nothing is left to be cancelled.
        timeout_graceful_shutdown=round(LONGEST_STOP) + 1,
        timeout_worker_healthcheck=LONGEST_SILENCE,
        access_log=False,
        # The app decides which proxies are trusted, and for what.
        proxy_headers=False,
        log_level="warning",
        # It would give Uvicorn's loggers handlers of their own.
        log_config=None,
    )
    listening = config.bind_socket()
    if workers > 1:
        with ExitStack() as opened:
            try:
                files = opened.enter_context(folder_for_workers())
            except OSError as error:
                sys.exit(f"The workers have no folder for their measurements: {error} TMPDIR can name one.")
            WorkerSupervisor(config, listening, files).run()
        return
    server = _OnlyServer(config)
    # Uvicorn raises the signal that stopped it once more when it has stopped.
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listening])
    if not server.started:
        sys.exit(STARTUP_FAILURE)


class _OnlyServer(Server):
    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        for listening in sockets or ():
            admit_no_more(listening)
        await super().shutdown(sockets)
