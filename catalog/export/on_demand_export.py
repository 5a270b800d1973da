"""Opens the exported files of any version in the history, and makes each missing file once.

Files are made in a thread, one after another. A client that leaves does not stop this for the others. Rebuilding an
older version, or reading the changes between two versions, uses the same allowance as a query with ``@asOf``.
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
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from catalog.catalog_source import CatalogSource
from catalog.export.export_file_kinds import EXPORTED_FILES, NO_PARQUET, is_parquet
from catalog.export.export_folder import FileFolder, FilesUnavailable, OpenedFile
from catalog.export.ndjson_writing import write_changes
from catalog.export.parquet_writing import can_write_parquet
from catalog.export.provenance import Provenance
from catalog.history import CatalogVersion, TooManyRebuilds, VersionUnknown
from catalog.indexed_catalog import Catalog
from upstream.client import StorageUnavailable

MAX_WAITING = 50
"""How many different files may wait to be made. Each takes a second at most, at the size of the real catalog."""

_ATTEMPTS = 3
"""How often a file is made for one request, if other files displace it before it is opened."""

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

    retry_after = MAX_WAITING

    def __init__(self) -> None:
        super().__init__(
            f"{MAX_WAITING} files wait to be made already. Try again in {self.retry_after} seconds."
        )


_OF_CLIENTS = (NoSuchFile, CannotWriteParquet, TooManyFiles, TooManyRebuilds)
"""Failures that clients can cause as often as they like, which are therefore not logged."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Describes a requested file."""

    version: str
    name: str
    check: Callable[[], Awaitable[object]]
    """Raises an exception, at little cost, if the file cannot exist."""
    begin: Callable[[], Awaitable[Write]]
    """Reads all that the file needs, and returns the function that writes it."""


class OnDemandExport:
    """Opens the files of the versions of one open source, which are stored in a folder."""

    def __init__(self, source: CatalogSource, folder: FileFolder) -> None:
        self._source = source
        self._folder = folder
        self._making: dict[tuple[str, str], asyncio.Task[None]] = {}
        """The files that are being made or wait for that, by version and name."""
        self._turn = asyncio.Lock()
        """Held while a file is written."""

    async def open(self, version: str, name: str, *, compressed: bool) -> OpenedFile:
        """Open a file of a version; ``compressed`` asks for gzip, where compression is worth it.

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
            catalog, stored_at = await self._catalog(version)
            provenance = Provenance(version, stored_at, self._source.embedded)
            return lambda path: file.write(catalog, provenance, path)

        async def check() -> None:
            if is_parquet(name) and not can_write_parquet():
                raise CannotWriteParquet(NO_PARQUET)
            await self._kept(version)

        wanted = _Wanted(_whole(version), name, check, begin)
        return await (self._packed(wanted) if compressed and file.compressible else self._opened(wanted))

    async def open_changes(self, since: str, until: str, *, compressed: bool) -> OpenedFile:
        """Open the file with what happened between two versions. Raises what :meth:`open` does."""
        older = self._source.older

        async def begin() -> Write:
            one, other = await older.named(since), await older.named(until)
            deltas = [] if one.version == other.version else await older.difference(one, other)
            return lambda path: write_changes(deltas, path)

        async def check() -> None:
            try:
                await older.named(since)
                await older.named(until)
            except VersionUnknown as error:
                raise NoSuchFile(str(error)) from None

        wanted = _Wanted(_whole(until), f"changes-since-{_whole(since)}.ndjson", check, begin)
        return await (self._packed(wanted) if compressed else self._opened(wanted))

    async def _packed(self, wanted: _Wanted) -> OpenedFile:
        """Open a file that is wanted, compressed."""

        async def begin() -> Write:
            (await self._opened(wanted)).close()
            return lambda path: self._compress(wanted.version, wanted.name, path)

        return await self._opened(_Wanted(wanted.version, f"{wanted.name}.gz", wanted.check, begin))

    async def _opened(self, wanted: _Wanted) -> OpenedFile:
        for _ in range(_ATTEMPTS):
            found = await asyncio.to_thread(self._folder.open, wanted.version, wanted.name)
            if found is not None:
                return found
            # This comes before the request takes one of the places in the queue.
            await wanted.check()
            await asyncio.shield(self._begun(wanted))
        raise FilesUnavailable("others need its room in the gateway's folder at once")

    def _begun(self, wanted: _Wanted) -> asyncio.Task[None]:
        key = (wanted.version, wanted.name)
        task = self._making.get(key)
        if task is None:
            if len(self._making) >= MAX_WAITING:
                raise TooManyFiles
            task = self._making[key] = asyncio.create_task(self._make(wanted))
            task.add_done_callback(lambda done: self._ended(key, done))
        return task

    def _ended(self, key: tuple[str, str], task: asyncio.Task[None]) -> None:
        del self._making[key]
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, _OF_CLIENTS):
            # It is logged here, because the client that asked for the file may have left.
            cause = error.__cause__ or error
            _log.error("The file %s of version %s was not made: %s", key[1], key[0], cause)

    async def _make(self, wanted: _Wanted) -> None:
        version, name = wanted.version, wanted.name
        write = await wanted.begin()
        async with self._turn:
            started = time.perf_counter()
            size = await asyncio.to_thread(self._made, version, name, write)
        seconds = time.perf_counter() - started
        _log.info("The file %s of version %s was made: %d bytes in %.2f s.", name, version, size, seconds)

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

    async def _kept(self, version: str) -> CatalogVersion | None:
        """Return a version as history has it; ``None`` for the present one, if nobody knows it otherwise."""
        try:
            return await self._source.older.named(version)
        except (StorageUnavailable, VersionUnknown) as error:
            # The catalog in memory is known without a storage too.
            if self._source.latest is not None and self._source.latest.catalog.version == version:
                return None
            if isinstance(error, VersionUnknown):
                raise NoSuchFile(str(error)) from None
            raise

    async def _catalog(self, version: str) -> tuple[Catalog, datetime]:
        """Return the catalog of a version, and when it was stored."""
        latest, kept = self._source.latest, await self._kept(version)
        if kept is not None:
            snapshot = await self._source.older.snapshot(kept, kept.at, lambda _: None)
            return snapshot.catalog, kept.at
        if latest is None or latest.catalog.version != version:
            raise FilesUnavailable("the catalog was replaced meanwhile")
        return latest.catalog, latest.refreshed_at


def _whole(version: str) -> str:
    """Return a version that is written as one.

    :raises NoSuchFile: it is not.
    """
    if not _VERSION.fullmatch(version):
        raise NoSuchFile(
            f'"{version}" is no version; a version has 32 hexadecimal digits, as /catalog lists them.'
        )
    return version
