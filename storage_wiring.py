"""Makes the storage that the settings name: a file, or a server that gateways on many machines share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from settings import EMBEDDED, Settings

if TYPE_CHECKING:
    from catalog.storage import StoragePort
    from gateway.persisted import PersistedDocuments
    from sharing import SharedPace, ValkeyConnection

ROOT = Path(__file__).parent
"""The project's folder, from which relative paths in settings count."""


@contextmanager
def open_storage(settings: Settings) -> Iterator[StoragePort]:
    """Open the storage for a command, and make sure that what it has is of the upstream of the settings.

    :raises StorageUnavailable: it cannot be used, or has the catalog of another upstream.
    """
    from upstream.client import without_credentials

    server = shared_server(settings)
    with closing(make_storage(settings, server)) as storage:
        try:
            storage.check_upstream(without_credentials(settings.upstream))
            yield storage
        finally:
            if server is not None:
                server.close()


def check_storage(settings: Settings) -> None:
    """Open the storage and close it again. A server that cannot be used now is no reason not to start.

    :raises StorageUnavailable: a file cannot be used, or the catalog of another upstream is stored.
    """
    from upstream.client import StorageAway

    try:
        with open_storage(settings):
            pass
    except StorageAway:
        pass  # The gateway logs this, and tries again.


def make_storage(settings: Settings, server: ValkeyConnection | None) -> StoragePort:
    """Make the storage: on the server if there is one, and else in the file.

    :raises StorageUnavailable: the file cannot be used.
    """
    if server is not None:
        from catalog.storage import ValkeyStorage

        return ValkeyStorage(server, settings.history_days)
    from catalog.storage import Storage

    return Storage(storage_path(settings), settings.history_days)


@asynccontextmanager
async def open_server(settings: Settings) -> AsyncIterator[ValkeyConnection | None]:
    """Open a connection to the server that gateways share; ``None`` if the settings name none."""
    server = shared_server(settings)
    try:
        yield server
    finally:
        if server is not None:
            server.close()
            await server.aclose()


@asynccontextmanager
async def hearing(server: ValkeyConnection) -> AsyncIterator[Callable[[float], Awaitable[None]]]:
    """Listen to the announcements of the server, and give a function that waits for one, for some seconds at most."""
    from sharing import Announcements

    announcements = Announcements(server)
    announcements.open()
    try:
        yield announcements.wait
    finally:
        await announcements.aclose()


@asynccontextmanager
async def sharing_documents(settings: Settings, persisted: PersistedDocuments) -> AsyncIterator[None]:
    """Share what clients register with other gateways, if the settings name a server."""
    async with open_server(settings) as server:
        if server is None or settings.automatic_persisted_queries == "off":
            yield
            return
        from sharing import SharedDocuments

        persisted.shared = documents = SharedDocuments(server, persisted.take)
        documents.open()
        try:
            yield
        finally:
            await documents.aclose()


def shared_pace(settings: Settings, server: ValkeyConnection) -> SharedPace:
    """Give what counts the requests of all gateways that share a server."""
    from sharing import SharedPace

    longest = settings.upstream_timeout + settings.upstream_connect_timeout
    return SharedPace(server, longest, settings.breaker_rest, settings.upstream_budget)


def shared_server(settings: Settings, patience: float | None = None) -> ValkeyConnection | None:
    """Give the server that gateways share, which is not asked yet; ``None`` if the settings name none.

    ``patience`` is how many seconds each answer may take, if that is not as many as usual.

    :raises StorageUnavailable: its client is not installed.
    """
    from sharing import ValkeyAddress, is_valkey
    from upstream.client import StorageUnavailable

    if not is_valkey(settings.storage):
        return None
    address = ValkeyAddress.of(settings.storage)
    try:
        from sharing import ValkeyConnection
    except ModuleNotFoundError as error:
        if error.name != "redis":
            raise
        reason = "the package redis is not installed; `make valkey` installs it"
        raise StorageUnavailable(str(address), reason) from None
    return ValkeyConnection(address) if patience is None else ValkeyConnection(address, patience)


def storage_path(settings: Settings) -> str:
    """Give the file of the catalog, or ``:memory:``. Its folder is made.

    :raises StorageUnavailable: the folder cannot be made.
    """
    from upstream.client import StorageUnavailable

    if settings.storage == ":memory:":
        return settings.storage
    path = path_of(settings.storage, settings)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageUnavailable(str(path), str(error.strerror)) from None
    return str(path)


def path_of(path: str, settings: Settings) -> Path:
    """Return the path that a setting means, with the name of the upstream in the place of ``{upstream}``."""
    from upstream.client import without_credentials

    name = urlsplit(without_credentials(settings.upstream)).netloc or EMBEDDED
    return ROOT / path.replace("{upstream}", name.replace(":", "-"))
