"""Provides the gateway as an ASGI app of which a dead crawler is replaced within 3 seconds, and not within 15."""

from __future__ import annotations

from dataclasses import replace

from catalog.storage.sqlite_storage import Storage
from setting_groups import client_limits
from settings import read_settings
from tests.support.gateway_in_process import app_of, source_of
from tests.support.settings_for_tests import SCHEDULE
from upstream.client.api_client import Client
from upstream.client.http_transport import network
from web.app import GatewayApp


def app() -> GatewayApp:
    settings = read_settings()
    return app_of(
        source_of(
            Client(settings.upstream, network(), client_limits(settings)),
            storage=Storage(settings.storage),
            origin=settings.upstream,
            follow=True,
            schedule=replace(SCHEDULE, lease=3.0, look=0.1),
        )
    )
