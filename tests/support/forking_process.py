"""Imports what the programs of this project import, and forks itself for each that a test starts.

    python -m tests.support.forking_process 7

7 is an open socket. Each byte on it comes with four open files: the order as JSON, the output and the errors of the
program, and a pipe on which its process id is told, and its exit status in the end.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import select
import signal
import socket
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

IMPORTED = (
    "assistants",
    "catalog.export",
    "cli.commands",
    "cli.start_message",
    "gateway.persisted",
    "pydantic.fields",
    "pydantic.type_adapter",
    "pydantic.types",
    "schema",
    "tests.support.sharing_app",
    "tests.support.short_lease_app",
    "uvicorn.main",
    "web.app",
    "web.catalog_files",
    "web.graphql_endpoint",
    "web.monitoring",
    "web.serving.accepting_loop",
    "web.serving.log_output",
    "web.serving.uvicorn_server",
    "wiring",
)


def main(orders: socket.socket) -> None:
    """Fork for each order until the socket is closed."""
    sys.path.insert(0, str(Path.cwd()))
    for name in IMPORTED:
        import_module(name)
    # The forked processes share what is imported, as long as no collector looks at it.
    gc.collect()
    gc.freeze()
    ended, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes)
    told: dict[int, int] = {}
    while True:
        ready = select.select([orders.fileno(), ended], [], [])[0]
        if ended in ready:
            os.read(ended, 1_000)
            _tell_who_ended(told)
        if orders.fileno() in ready:
            received, files, _, _ = socket.recv_fds(orders, 1, 4)
            if not received:
                return
            order, output, errors, tell = files
            child = os.fork()
            if child == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                orders.detach()
                _become(order, output, errors)
                return
            os.write(tell, f"{child}\n".encode())
            told[child] = tell
            for file in (order, output, errors):
                os.close(file)


def _tell_who_ended(told: dict[int, int]) -> None:
    for child in list(told):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            tell = told.pop(child)
            with suppress(BrokenPipeError):  # if the test does not wait for it
                os.write(tell, f"{os.waitstatus_to_exitcode(status)}\n".encode())
            os.close(tell)


def _become(order: int, output: int, errors: int) -> None:
    """Run a program in this process, which was forked for it. It ends as the program does."""
    with open(order, encoding="utf-8", closefd=False) as file:
        file.seek(0)
        ordered: dict[str, Any] = json.load(file)
    os.setsid()
    os.dup2(output, 1)
    os.dup2(errors, 2)
    os.closerange(3, 256)
    os.chdir(ordered["folder"])
    os.environ.clear()
    os.environ.update(ordered["environment"])
    arguments = ordered["arguments"]
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    elif arguments[0] == "-c":
        sys.argv = ["-c", *arguments[2:]]
        exec(arguments[1], {"__name__": "__main__"})
    else:
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as orders:
        main(orders)
