"""Judges whether a catalog that was just read may replace the one that is known.

An upstream that has lost its data for an hour, or answers from an empty database, sends lists that are in perfect
form. So a catalog without packages or categories, or one from which many packages have gone at once, is refused:
what was known goes on being served and stays stored. It is accepted when an operator says so. One from which packages
have gone is also accepted when crawls agree on it for long enough, because then upstream has really changed; an empty
one never is.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from catalog.indexed_catalog import Catalog, CatalogDifference
from catalog.storage.record_rows import StoredDoubt
from upstream.client import PACKAGE, UpstreamBadData

MOST_GONE = 20
"""How many packages can always go from one crawl to the next."""

MOST_GONE_SHARE = 0.05
"""The share of the known packages that can go from one crawl to the next, if that is more."""

Reason = Literal["no packages", "no categories", "packages gone"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a catalog is implausible, in numbers of packages."""

    reason: Reason
    known: int
    read: int
    gone: frozenset[int]
    """The ids of the known packages that it does not have."""

    def __str__(self) -> str:
        if self.reason == "packages gone":
            return f"Upstream has lost {len(self.gone):,} of {self.known:,} packages since the last crawl."
        lost = "no packages" if self.reason == "no packages" else "packages but no categories"
        before = f", but {self.known:,} were known" if self.known and not self.read else ""
        return f"Upstream says that it has {lost}{before}."


class CatalogRefused(UpstreamBadData):
    """A catalog was read that is too implausible to be published. ``doubt`` says why."""

    def __init__(self, doubt: Doubt) -> None:
        super().__init__(f"{doubt} The crawl is refused, and the previous catalog stays.")
        self.doubt = doubt


def doubt(before: Catalog | None, after: Catalog, changes: CatalogDifference | None) -> Doubt | None:
    """Return what is implausible about ``after``, if anything. ``changes`` lead to it from ``before``, if there
    was one."""
    removed = changes.removed if changes is not None else ()
    gone = frozenset(key.id for key in removed if key.kind == PACKAGE.singular)
    known = len(before.packages) if before is not None else 0
    reason: Reason
    if not after.packages:
        reason = "no packages"
    elif not after.categories:
        reason = "no categories"
    elif _is_too_much(len(gone), known):
        reason = "packages gone"
    else:
        return None
    return Doubt(reason, known, len(after.packages), gone)


def agree(one: Doubt, other: Doubt) -> bool:
    """Return whether two implausible catalogs are about the same: each would be plausible after the other."""
    return one.reason == other.reason and not _is_too_much(len(one.gone ^ other.gone), one.known)


def _is_too_much(gone: int, known: int) -> bool:
    return gone > max(MOST_GONE, MOST_GONE_SHARE * known)


class Guard:
    """Remembers what was refused, and since when crawls agree on it.

    ``agreement`` is for how many seconds they must until it is accepted.
    """

    def __init__(self, agreement: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._agreement = agreement
        self._clock = clock
        self._since = 0.0
        self.doubt: Doubt | None = None
        """Why the last crawl was refused; ``None`` if it was not."""

    @property
    def seconds(self) -> float:
        """Return for how many seconds crawls have agreed on what is refused."""
        return 0.0 if self.doubt is None else self._clock() - self._since

    def check(
        self,
        before: Catalog | None,
        after: Catalog,
        changes: CatalogDifference | None,
        *,
        accept: bool = False,
    ) -> None:
        """Let a catalog pass that is plausible, that crawls have agreed on, or that is to be accepted as it is.

        :raises CatalogRefused: it is none of these.
        """
        found = doubt(before, after, changes)
        if found is None:
            self.forget()
            return
        if self.doubt is None or not agree(self.doubt, found):
            self._since = self._clock()
        self.doubt = found
        if accept or (found.reason == "packages gone" and self.seconds >= self._agreement):
            _log.warning("what was implausible is accepted: %s", found)
            self.forget()
            return
        raise CatalogRefused(found)

    @property
    def stored(self) -> StoredDoubt | None:
        """Return what a process that takes over is to know: the doubt, and for how long crawls have agreed on
        it."""
        doubt = self.doubt
        if doubt is None:
            return None
        return StoredDoubt(doubt.reason, doubt.known, doubt.read, doubt.gone, self.seconds)

    def recall(self, stored: StoredDoubt) -> None:
        """Go on where the process was that led before."""
        self.doubt = Doubt(stored.reason, stored.known, stored.read, stored.gone)
        self._since = self._clock() - stored.seconds

    def forget(self) -> None:
        """Begin anew: another catalog is known."""
        self.doubt = None
