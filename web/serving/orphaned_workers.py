"""Stops a worker when the process that started it is gone.

Nobody could stop such a worker by the usual way or replace it when it dies, and it would keep the port from the next
start of the gateway.
"""

from __future__ import annotations

import logging
import os
import signal
from multiprocessing import parent_process
from multiprocessing.process import BaseProcess
from threading import Thread

_log = logging.getLogger(__name__)


def stop_with_the_first_process() -> None:
    """Stop this process, as at SIGTERM, when the process that started it ends, if this is one of several workers."""
    first = parent_process()
    if first is not None:
        Thread(target=_stop_after, args=(first,), daemon=True).start()


def _stop_after(first: BaseProcess) -> None:
    first.join()
    _log.error("The first process is gone, so this worker stops.")
    os.kill(os.getpid(), signal.SIGTERM)
