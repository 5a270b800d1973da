"""Holds the trusted documents of a running gateway: those in the manifest file as it is now."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path

from gateway.document_cache import DocumentCache
from gateway.persisted.manifest_format import Manifest, WrongManifest, read_manifest, unfit_documents

LOOK_AGAIN = 1.0
"""Seconds after which the file is checked again, if anybody asks."""

_log = logging.getLogger(__name__)


def _time_of_the_loop() -> float:
    return asyncio.get_running_loop().time()


class TrustedDocuments:
    """Follows a manifest file. A new one that is broken changes nothing: it is logged and counted.

    ``clock`` gives seconds that never go back.
    """

    def __init__(
        self, path: Path, documents: DocumentCache, clock: Callable[[], float] = _time_of_the_loop
    ) -> None:
        self.manifest = Manifest()
        self.taken_over = 0
        """How many manifests there have been."""
        self.failures = 0
        """How often the file could not be used."""
        self.unfit: list[str] = []
        """The documents that do not fit the schema, a sentence each. They stay: only they themselves fail."""
        self._path = path
        self._documents = documents
        self._clock = clock
        self._next_look = float("-inf")
        self._seen: object = ()
        self._check: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Read the file if it has changed. This is cheap, and needs an event loop."""
        now = self._clock()
        if now < self._next_look:
            return
        self._next_look = now + LOOK_AGAIN
        state = self._state()
        if state == self._seen:
            return
        self._seen = state
        try:
            self.manifest = read_manifest(self._path)
        except WrongManifest as error:
            self.failures += 1
            _log.error("%s The previous documents stay valid.", error)
            return
        self.taken_over += 1
        self.close()
        self._check = asyncio.get_running_loop().create_task(self._check_all(self.manifest))

    async def checked(self) -> None:
        """Wait until all documents have been validated against the schema."""
        if self._check is not None:
            await self._check

    def close(self) -> None:
        """Stop what is under way."""
        if self._check is not None:
            self._check.cancel()

    def _state(self) -> object:
        try:
            found = os.stat(self._path)
        except OSError as error:
            return error.errno
        return found.st_mtime_ns, found.st_size, found.st_ino

    async def _check_all(self, manifest: Manifest) -> None:
        unfit = []
        for sentence in unfit_documents(manifest, self._documents):
            if sentence is not None:
                unfit.append(sentence)
                _log.warning("A trusted document does not fit the schema: %s", sentence)
            # Each turn validates one document, because that takes a millisecond or more and requests are waiting.
            await asyncio.sleep(0)
        self.unfit = unfit
