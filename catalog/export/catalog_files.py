"""Gives the files of any version that history reaches: opens what is there, and makes what is not, once.

Files are made in a thread, one after another. Who leaves does not end it for the others. Rebuilding an older version
costs what it costs a query with ``@asOf``, from the same allowance; so does reading the changes between two versions.
"""

from __future__ import annotations

import asyncio
import gzip
import logging
import re
import shutil
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

from catalog.catalog_source import CatalogSource
from catalog.export.exported_files import EXPORTED_FILES, NO_PARQUET, is_parquet
from catalog.export.file_folder import FileFolder, FilesUnavailable, OpenedFile
from catalog.export.ndjson_writing import write_changes
from catalog.export.parquet_writing import can_write_parquet
from catalog.export.provenance import Provenance
from catalog.history import TooManyRebuilds, VersionUnknown
from catalog.indexed_catalog import Catalog
from upstream.client import StorageUnavailable

MOST_WAITING = 50
"""How many different files may wait to be made. Each takes a second at most, at the size of the real catalog."""

_ATTEMPTS = 3
"""How often a file is made for one request, where others take its room before it is opened."""

_CHUNK = 1 << 18

Write = Callable[[Path], None]

_VERSION = re.compile("[0-9a-f]{32}")

_log = logging.getLogger(__name__)


class NoSuchFile(Exception):
    """There is no such file, or no such version. The message is a sentence for clients."""


class CannotWriteParquet(Exception):
    """The software that writes Parquet is missing. The message is a sentence for clients."""


class TooManyFiles(Exception):
    """Too many files wait to be made. The message is a sentence for clients."""

    retry_after = MOST_WAITING

    def __init__(self) -> None:
        super().__init__(
            f"{MOST_WAITING} files wait to be made already. Try again in {self.retry_after} seconds."
        )


_OF_CLIENTS = (NoSuchFile, CannotWriteParquet, TooManyFiles, TooManyRebuilds)
"""What strangers can cause as often as they like, which is nothing for the log."""


class CatalogFiles:
    """Gives the files of the versions of one source, which is open, out of a folder."""

    def __init__(self, source: CatalogSource, folder: FileFolder) -> None:
        self._source = source
        self._folder = folder
        self._making: dict[tuple[str, str], asyncio.Task[None]] = {}
        """The files that are being made or wait for that, by version and name."""
        self._turn = asyncio.Lock()
        """Held while a file is written."""

    async def open(self, version: str, name: str, *, compressed: bool) -> OpenedFile:
        """Open a file of a version; ``compressed`` is whether by gzip, where that is worth it.

        :raises NoSuchFile: there is no such file or version.
        :raises CannotWriteParquet: it is not there, and cannot be made for want of software.
        :raises TooManyFiles: it is not there, and too many others wait to be made.
        :raises TooManyRebuilds: its version would have to be rebuilt, and too many were.
        :raises FilesUnavailable: it cannot be written or read.
        :raises HistoryDamaged: the version cannot be rebuilt.
        :raises StorageUnavailable: the storage cannot be read.
        """
        file = EXPORTED_FILES.get(name)
        if file is None:
            names = ", ".join(EXPORTED_FILES)
            raise NoSuchFile(f'There is no file "{name}" of a version of the catalog; there are {names}.')

        async def begin() -> Write:
            if is_parquet(name) and not can_write_parquet():
                raise CannotWriteParquet(NO_PARQUET)
            catalog, stored_at = await self._catalog(version)
            provenance = Provenance(version, stored_at, self._source.embedded)
            return lambda path: file.write(catalog, provenance, path)

        return await self._opened(version, name, begin, compressed=compressed and file.compressible)

    async def open_changes(self, since: str, until: str, *, compressed: bool) -> OpenedFile:
        """Open the file with what happened between two versions. Raises what :meth:`open` does."""

        async def begin() -> Write:
            older = self._source.older
            try:
                one, other = await older.named(_whole(since)), await older.named(_whole(until))
            except VersionUnknown as error:
                raise NoSuchFile(str(error)) from None
            deltas = [] if one.version == other.version else await older.difference(one, other)
            return lambda path: write_changes(deltas, path)

        return await self._opened(
            until, f"changes-since-{_whole(since)}.ndjson", begin, compressed=compressed
        )

    async def _opened(
        self, version: str, name: str, begin: Callable[[], Awaitable[Write]], *, compressed: bool
    ) -> OpenedFile:
        version = _whole(version)
        if not compressed:
            return await self._opened_or_made(version, name, begin)

        async def compress() -> Write:
            (await self._opened_or_made(version, name, begin)).close()
            return lambda path: self._compress(version, name, path)

        return await self._opened_or_made(version, f"{name}.gz", compress)

    async def _opened_or_made(
        self, version: str, name: str, begin: Callable[[], Awaitable[Write]]
    ) -> OpenedFile:
        for _ in range(_ATTEMPTS):
            found = await asyncio.to_thread(self._folder.open, version, name)
            if found is not None:
                return found
            await asyncio.shield(self._begun(version, name, begin))
        raise FilesUnavailable("others need its room in the gateway's folder at once")

    def _begun(self, version: str, name: str, begin: Callable[[], Awaitable[Write]]) -> asyncio.Task[None]:
        key = (version, name)
        task = self._making.get(key)
        if task is None:
            if len(self._making) >= MOST_WAITING:
                raise TooManyFiles
            task = self._making[key] = asyncio.create_task(self._make(version, name, begin))
            task.add_done_callback(lambda done: self._ended(key, done))
        return task

    def _ended(self, key: tuple[str, str], task: asyncio.Task[None]) -> None:
        del self._making[key]
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, _OF_CLIENTS):
            # Here, because whoever wanted the file may have left.
            cause = error.__cause__ or error
            _log.error("The file %s of version %s was not made: %s", key[1], key[0], cause)

    async def _make(self, version: str, name: str, begin: Callable[[], Awaitable[Write]]) -> None:
        write = await begin()
        async with self._turn:
            started = time.perf_counter()
            size = await asyncio.to_thread(self._made, version, name, write)
        seconds = time.perf_counter() - started
        _log.info("The file %s of version %s is there: %d bytes in %.2f s.", name, version, size, seconds)

    def _made(self, version: str, name: str, write: Write) -> int:
        with closing(self._folder.make(version, name, write)) as made:
            return made.size

    def _compress(self, version: str, name: str, path: Path) -> None:
        plain = self._folder.open(version, name)
        if plain is None:
            raise FilesUnavailable("others need its room in the gateway's folder at once")
        with (
            closing(plain),
            path.open("wb") as file,
            gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed,
        ):
            shutil.copyfileobj(plain.file, packed, _CHUNK)

    async def _catalog(self, version: str) -> tuple[Catalog, datetime]:
        """Return the catalog of a version, and when it was stored."""
        latest = self._source.latest
        try:
            kept = await self._source.older.named(version)
        except (StorageUnavailable, VersionUnknown) as error:
            # The catalog in memory is known without a storage too.
            if latest is not None and latest.catalog.version == version:
                return latest.catalog, latest.refreshed_at
            if isinstance(error, VersionUnknown):
                raise NoSuchFile(str(error)) from None
            raise
        snapshot = await self._source.older.snapshot(kept, kept.at, lambda: None)
        return snapshot.catalog, kept.at


def _whole(version: str) -> str:
    """Return a version that is written as one.

    :raises NoSuchFile: it is not.
    """
    if not _VERSION.fullmatch(version):
        raise NoSuchFile(
            f'"{version}" is no version; a version has 32 hexadecimal digits, as /catalog lists them.'
        )
    return version
