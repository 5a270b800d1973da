"""Runs the server: Uvicorn with the gateway's protocols and its loop, in one process or several."""

from __future__ import annotations

import logging
import signal
import sys
from contextlib import ExitStack, suppress
from socket import socket
from threading import Thread

from uvicorn import Config, Server
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from telemetry import WorkerMetricFiles, folder_for_workers
from web.request_parsing import MAX_BODY
from web.serving.accepting_loop import admit_no_more
from web.serving.known_request_protocol import KnownRequestProtocol
from web.serving.uvicorn_protocols import LONGEST_STOP, SocketProtocol

LONGEST_SILENCE = 60
"""Seconds in which a worker has to answer the first process. Otherwise it is killed and replaced. A worker that
starts on a busy machine is silent while it imports, and a replacement would not be ready sooner."""

_log = logging.getLogger(__name__)


def run(app: str, *, host: str, port: int, workers: int, idle_seconds: int) -> None:
    """Serve the app with this import name until a signal says to stop."""
    config = Config(
        app,
        host=host,
        port=port,
        workers=workers,
        loop="web.serving.accepting_loop:Loop",
        http=KnownRequestProtocol,
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
            _Workers(config, listening, files).run()
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


class _Workers(Multiprocess):
    def __init__(self, config: Config, listening: socket, files: WorkerMetricFiles) -> None:
        super().__init__(config, [listening])
        self._files = files
        self._died = 0
        """Workers that have died and are not among the measurements yet."""
        self._can_settle = True
        for number in (signal.SIGINT, signal.SIGTERM):
            # The stop begins at once, even while workers are being replaced, which takes seconds for each. It needs a
            # thread, because the code that the signal has interrupted may hold the lock of the event.
            signal.signal(number, lambda *_: Thread(target=self.should_exit.set).start())

    def restart_all(self) -> None:
        """Replace each worker. A new one serves before the old one stops, which finishes what it has begun."""
        before = list(self.processes)
        _log.info("The workers are being replaced, one after another.")
        super().restart_all()
        for stopped, started in zip(before, self.processes, strict=True):
            if started is not stopped:
                fields = {"stopped": stopped.pid, "started": started.pid}
                _log.info("A worker was replaced.", extra={"fields": fields})
            elif not self.should_exit.is_set():
                _log.error(
                    "A worker stays, because no new one started.", extra={"fields": {"stays": stopped.pid}}
                )

    def keep_subprocess_alive(self) -> None:
        before = list(self.processes)
        for process in before:
            # Each worker has its own copy of this end of the pipe. With one here too, a worker that dies while it is
            # asked whether it lives would be waited for as long as one that is silent.
            process.child_conn.close()
        super().keep_subprocess_alive()
        for died, started in zip(before, self.processes, strict=True):
            if started is not died:
                self._died += 1
                fields = {"died": died.pid, "exit_status": died.exitcode, "started": started.pid}
                _log.error("A worker died, and another one takes its place.", extra={"fields": fields})
        self._settle()

    def _settle(self) -> None:
        """Add up what the ended workers have counted. If that fails, it is tried again at the next look."""
        try:
            self._files.settle([process.pid for process in self.processes if process.pid], self._died)
        except OSError as error:
            if self._can_settle:
                _log.warning("The counts of ended workers cannot be added up: %s", error)
            self._can_settle = False
        else:
            self._can_settle = True
            self._died = 0

    def terminate_all(self) -> None:
        # This process would keep the socket open without accepting anyone, and its queue would be reset at the end.
        for listening in self.sockets:
            admit_no_more(listening)
            listening.close()
        super().terminate_all()
