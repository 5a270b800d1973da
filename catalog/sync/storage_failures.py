"""Remembers why the storage cannot be used now, and logs it."""

from __future__ import annotations

import logging
from typing import Literal

from upstream.client import StorageUnavailable

MAX_REASONS = 20
"""How many reasons are logged before the storage can be used again."""

_log = logging.getLogger(__name__)

Use = Literal["reading", "leading", "storing"]
"""What a process does with the storage: it reads what others have stored, renews the lease of the crawler, and stores
catalogs."""


class StorageFailures:
    """Holds the last failure of each use. A server can be readable and refuse to be written.

    Each reason is logged once until all uses work again.
    """

    def __init__(self) -> None:
        self._errors: dict[Use, StorageUnavailable] = {}
        self._told = set[str]()

    @property
    def reason(self) -> str | None:
        """Return why the storage cannot be used, as the end of a sentence; ``None`` if it can."""
        return next((error.reason for error in self._errors.values()), None)

    def failed(self, use: Use, error: StorageUnavailable, consequence: str = "") -> None:
        """Note that a use has failed. ``consequence`` is a sentence for the log on what that means."""
        self._errors[use] = error
        if error.reason not in self._told and len(self._told) < MAX_REASONS:
            self._told.add(error.reason)
            _log.warning("%s", f"{error} {consequence}".strip())

    def worked(self, use: Use) -> None:
        """Note that a use works. Whoever stores catalogs says itself that one could be stored again."""
        self._errors.pop(use, None)
        if self._told and not self._errors:
            self._told.clear()
            if use != "storing":
                _log.warning("The storage can be used again.")
