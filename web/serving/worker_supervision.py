"""Watches the workers of the first process: replaces those that die, and counts them."""

from __future__ import annotations

import logging
import signal
from socket import socket
from threading import Thread

from uvicorn import Config
from uvicorn.supervisors import Multiprocess

from telemetry import WorkerMetricFiles
from web.serving.accepting_loop import admit_no_more

LONGEST_SILENCE = 60
"""Seconds in which a worker has to answer the first process. Otherwise it is killed and replaced. A worker that
starts on a busy machine is silent while it imports, and a replacement would not be ready sooner."""

_log = logging.getLogger(__name__)


class WorkerSupervisor(Multiprocess):
    """Replaces the workers that die, and all of them, one after another, when a reload is asked for."""

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
        """Replace each worker that has died, count it, and keep what it has counted."""
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
        """Accept no connection any more, and ask each worker to stop."""
        # This process would keep the socket open without accepting anyone, and its queue would be reset at the end.
        for listening in self.sockets:
            admit_no_more(listening)
            listening.close()
        super().terminate_all()
