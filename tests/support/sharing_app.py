"""Serves the gateway as an ASGI app that shares a Valkey server, and replaces a dead crawler within 3 seconds."""

from __future__ import annotations

from dataclasses import replace

from settings import read_settings
from tests.support.gateway_in_process import app_of
from tests.support.settings_for_tests import SCHEDULE
from tests.support.sharing_gateways import sharing_source
from web.app import GatewayApp


def _app() -> GatewayApp:
    settings = read_settings()
    schedule = replace(SCHEDULE, lease=3.0, look=0.1)
    return app_of(sharing_source(settings.upstream, settings.storage, schedule=schedule), fair_use="off")


def __getattr__(name: str) -> GatewayApp:
    """Make the app when the server asks for it."""
    if name == "served":
        return _app()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
