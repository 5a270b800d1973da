"""The gateway as an ASGI app of which a dead crawler is replaced within 3 seconds, and not within 15."""

from __future__ import annotations

from starlette.applications import Starlette

from catalog.catalog_source import CatalogSource
from catalog.storage.sqlite_storage import Storage
from catalog.sync.schedule import Schedule
from settings import read_settings
from upstream.client.api_client import Client
from upstream.client.http_transport import network
from web.app import create_app


def app() -> Starlette:
    settings = read_settings()
    return create_app(
        lambda: CatalogSource(
            Client(settings.upstream, network()),
            Storage(settings.storage),
            origin=settings.upstream,
            schedule=Schedule(lease=3.0, look=0.1),
        )
    )
