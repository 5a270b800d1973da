"""Stores the exported files in a folder of limited size, in which each file is complete.

Processes may share the folder. A file has the path ``<version>/<layout>-<name>.<digest>``, with the digest of its
bytes, and never changes. The least recently used file is deleted when others need room; a response can still send it.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import BinaryIO

from catalog.export.columns import LAYOUT

PATIENCE = 30.0
"""Seconds to wait for another process that is making a file."""

LOOK = 0.05
"""Seconds between two checks whether the other process is done."""

_HASH = "[0-9a-f]" * 32
"""Matches the name of a version's folder, and the end of a file's name: nothing else in the folder is touched."""


class FilesUnavailable(Exception):
    """A file cannot be made or read now. The message is one sentence for clients; its cause has the rest."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The file cannot be made now: {reason}. Try again later, or ask for a file that is already made."
        )


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """Holds a file open for reading, whatever happens in the folder. The caller closes it."""

    file: BinaryIO
    size: int
    """Its bytes."""
    digest: str
    """32 hexadecimal digits, the same for the same bytes."""

    def close(self) -> None:
        """Close it."""
        self.file.close()


class FileFolder:
    """Keeps exported files in a folder of at most ``most_bytes``, or of one file if that is larger.

    Files of another ``layout`` are not opened, but count for the size. All methods block, and may be called from any
    thread.
    """

    def __init__(self, path: Path, most_bytes: int, layout: str = LAYOUT) -> None:
        self._path = path
        self._most_bytes = most_bytes
        self._layout = layout

    def open(self, version: str, name: str) -> OpenedFile | None:
        """Open a file of a version, which counts as used now; ``None`` if it is not there.

        :raises FilesUnavailable: the folder cannot be read.
        """
        try:
            return self._open(version, name)
        except OSError as error:
            raise _unavailable(error) from error

    def make(self, version: str, name: str, write: Callable[[Path], None]) -> OpenedFile:
        """Open a file of a version, which ``write`` writes to a path unless it is there by now.

        :raises FilesUnavailable: it cannot be written, or another process makes files for too long.
        """
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            with self._alone():
                return self._open(version, name) or self._make(version, name, write)
        except OSError as error:
            raise _unavailable(error) from error

    def _open(self, version: str, name: str) -> OpenedFile | None:
        for path in (self._path / version).glob(f"{self._layout}-{name}.{_HASH}"):
            with suppress(FileNotFoundError):  # it has made room for another
                file = path.open("rb")
                os.utime(file.fileno())
                return OpenedFile(file, os.fstat(file.fileno()).st_size, path.suffix[1:])
        return None

    def _make(self, version: str, name: str, write: Callable[[Path], None]) -> OpenedFile:
        unfinished = self._path / "unfinished"
        # These files were left by a process that died.
        unfinished.unlink(missing_ok=True)
        try:
            write(unfinished)
            with unfinished.open("rb") as written:
                digest = file_digest(written, "sha256").hexdigest()[:32]
                os.fsync(written.fileno())
            path = self._path / version / f"{self._layout}-{name}.{digest}"
            path.parent.mkdir(exist_ok=True)
            unfinished.rename(path)
        finally:
            unfinished.unlink(missing_ok=True)
        file = path.open("rb")
        self._make_room(path)
        return OpenedFile(file, os.fstat(file.fileno()).st_size, digest)

    def _make_room(self, new: Path) -> None:
        """Delete the least recently used files, until all files together are within the size."""
        files = [(path, path.stat()) for path in self._path.glob(f"{_HASH}/*.{_HASH}")]
        size = sum(about.st_size for _path, about in files)
        for path, about in sorted(files, key=lambda each: each[1].st_mtime_ns):
            if size <= self._most_bytes:
                return
            if path != new:
                path.unlink()
                size -= about.st_size
                with suppress(OSError):  # others of its version are still there
                    path.parent.rmdir()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Wait until no other process or thread makes a file here, and keep them out."""
        handle = os.open(self._path / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            deadline = time.monotonic() + PATIENCE
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        raise FilesUnavailable("another process has been making files for long") from None
                    time.sleep(LOOK)
            yield
        finally:
            os.close(handle)


def _unavailable(error: OSError) -> FilesUnavailable:
    # The path is left out, because clients must not learn it.
    return FilesUnavailable(f"the gateway's folder for files says {error.strerror or str(error)!r}")
