"""Runs the command ``serve``: it serves the gateway over HTTP, in one process or several."""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from cli.arguments import UpstreamFlag, manifest_or_stop, settings_or_stop
from cli.error_exit import stop
from cli.listening_port import authority, bindable_port

_log = logging.getLogger(__name__)


def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on.")] = None,
    upstream: UpstreamFlag = None,
    workers: Annotated[int | None, typer.Option(help="The number of processes that answer requests.")] = None,
) -> None:
    """Serve GraphQL over HTTP."""
    from cli.start_message import greeting
    from storage_wiring import ROOT, check_storage
    from telemetry import NOT_INSTALLED, is_tracing_installed
    from upstream.client import StorageUnavailable, without_credentials
    from web.serving.log_output import configure_logs
    from web.serving.uvicorn_server import run
    from wiring import manifest_path

    settings = settings_or_stop(host=host, port=port, upstream=upstream, workers=workers)
    # Each worker process reads the settings anew, so flags reach them through the environment.
    os.environ |= {f"GATEWAY_{name.upper()}": str(value) for name, value in asdict(settings).items()}
    if settings.traces != "off" and not is_tracing_installed():
        stop(NOT_INSTALLED)
    try:
        # This is checked once before the workers do it, because a refusal is one sentence here.
        check_storage(settings)
    except StorageUnavailable as error:
        stop(str(error))
    if settings.trusted_documents_mode != "off":
        manifest_or_stop(manifest_path(settings))
    port = bindable_port(settings.host, settings.port)
    address = f"http://{authority(settings.host, port)}"
    upstream_address = without_credentials(settings.upstream)
    sys.path.insert(0, str(ROOT))
    # Each worker process does the same when it makes its app.
    configure_logs(settings.log_level, settings.log_format)
    try:
        typer.echo(
            greeting(address, upstream_address, only_trusted=settings.trusted_documents_mode == "only")
        )
    except OSError as error:
        # It may go to a file on a full disk, which is no reason not to serve.
        _log.warning("The addresses at which the gateway can be reached could not be printed: %s", error)
    run(
        "server:app",
        host=settings.host,
        port=port,
        workers=settings.workers,
        idle_seconds=settings.idle_seconds,
    )
