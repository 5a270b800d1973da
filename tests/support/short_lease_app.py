"""The gateway as an ASGI app of which a dead crawler is replaced within 3 seconds, and not within 15."""

from __future__ import annotations

from starlette.applications import Starlette

from settings import read_settings
from upstream.client import Client
from upstream.source import Source
from upstream.storage import Storage
from upstream.sync import Schedule
from upstream.transport import network
from web.app import create_app


def app() -> Starlette:
    settings = read_settings()
    return create_app(
        lambda: Source(
            Client(settings.upstream, network()),
            Storage(settings.storage),
            origin=settings.upstream,
            schedule=Schedule(lease=3.0, look=0.1),
        )
    )
