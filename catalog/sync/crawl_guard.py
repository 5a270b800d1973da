"""Judges whether a catalog that was just read may replace the one that is known.

An upstream that has lost its data for an hour, was restored from an old backup or answers from an empty database sends
lists that are well-formed. A crawl that the validators (``catalog.sync.crawl_validators``) find implausible is refused
and stored aside, and the known catalog is still served and stays stored. A refused crawl is accepted when an operator
accepts it, or when crawls agree on it for long enough, because upstream has then really changed. Empty lists, and lists
that cannot be read to their end because they contradict themselves, are never accepted by waiting.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec

from catalog.catalog_difference import RecordKey
from catalog.indexed_catalog import Catalog
from catalog.refused_crawls import (
    Finding,
    GuardState,
    RefusedCrawl,
    RefusedDifference,
    difference_between,
)
from catalog.sync.crawl_validators import NO_CATEGORIES, NO_PACKAGES, Candidate, GuardLimits, findings_in
from upstream.client import ContradictoryList, UpstreamBadData

_log = logging.getLogger(__name__)


class CatalogRefused(UpstreamBadData):
    """A catalog was read that is too implausible to be published. ``crawl`` says why."""

    def __init__(self, crawl: RefusedCrawl, difference: RefusedDifference | None, *, is_new: bool) -> None:
        super().__init__(f"{crawl.reason} The crawl is refused, and the previous catalog stays.")
        self.crawl = crawl
        self.difference = difference
        """The difference from the known catalog; ``None`` if the crawl was not read to its end, or has been stored."""
        self.is_new = is_new
        """Whether the crawl before was not refused for the same reason."""


class Guard:
    """Remembers what was refused, since when crawls agree on it, and which accepted findings still hold.

    ``clock`` gives seconds that never go back.
    """

    def __init__(self, limits: GuardLimits, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self._clock = clock
        self._since = 0.0
        self._refused: RefusedCrawl | None = None
        self._removed: frozenset[RecordKey] = frozenset()
        """The records that are missing in what is refused, by which crawls agree."""
        self._tolerated: tuple[Finding, ...] = ()

    @property
    def refused(self) -> RefusedCrawl | None:
        """Return the last crawl, with the seconds for which crawls have agreed on it by now; ``None`` if it passed."""
        refused = self._refused
        if refused is None:
            return None
        return msgspec.structs.replace(refused, agreed_seconds=max(0.0, self._clock() - self._since))

    @property
    def state(self) -> GuardState:
        """Return the state for a process that takes over."""
        return GuardState(self.refused, self._tolerated)

    def check(self, candidate: Candidate, *, accept: bool = False) -> None:
        """Let a catalog pass if it is plausible, if crawls have agreed on it, or if ``accept`` is true.

        It takes 0.1 s, or a second if every field of every record has changed, so call it in a thread.

        :raises CatalogRefused: it is none of these.
        """
        by_itself, compared = findings_in(candidate, self.limits)
        names = {each.name for each in by_itself}
        self._tolerated = tuple(each for each in self._tolerated if each.name in names)
        found = [*compared, *(each for each in by_itself if not self._is_tolerated(each))]
        if not found:
            self._refused = None
            return
        before, difference = candidate.before, candidate.difference
        removed = frozenset(difference.removed) if difference is not None else frozenset[RecordKey]()
        refused = RefusedCrawl(
            at=datetime.now(UTC),
            reason=" ".join(finding.sentence for finding in found),
            findings=tuple(found),
            known=len(before.packages) if before is not None else 0,
            read=len(candidate.after.packages),
            added=len(difference.added) if difference is not None else _size(candidate.after),
            changed=len(difference.changed) if difference is not None else 0,
            removed=len(removed),
            agreed_seconds=0.0,
            is_whole=True,
        )
        is_new = self._refuse(refused, removed)
        has_waited = 0 < self.limits.patience <= self._clock() - self._since
        if accept or (has_waited and self._may_be_waited_for(found)):
            _log.warning("what was implausible is accepted: %s", refused.reason)
            self._refused = None
            self._tolerated = tuple(by_itself)
            return
        raise CatalogRefused(refused, difference_between(candidate.after, difference), is_new=is_new)

    def is_plausible(self, candidate: Candidate) -> bool:
        """Return whether a catalog that did not come from a whole crawl may be published. Call it in a thread too."""
        by_itself, compared = findings_in(candidate, self.limits)
        return not compared and all(map(self._is_tolerated, by_itself))

    def refuse(self, error: ContradictoryList, known: int) -> CatalogRefused:
        """Return the refusal of a crawl that has ended early, because a list contradicts itself."""
        finding = Finding("list contradicts itself", 1, 1, str(error))
        refused = RefusedCrawl(
            datetime.now(UTC), finding.sentence, (finding,), known, 0, 0, 0, 0, 0.0, is_whole=False
        )
        return CatalogRefused(refused, None, is_new=self._refuse(refused, frozenset()))

    def recall(self, state: GuardState, difference: RefusedDifference | None = None) -> None:
        """Take over the state of the previous leader. ``difference`` is the difference of the crawl that it refused."""
        self._refused = state.refused
        self._tolerated = state.tolerated
        self._removed = frozenset() if difference is None else frozenset(difference.removed)
        if state.refused is not None:
            self._since = self._clock() - state.refused.agreed_seconds

    def _refuse(self, refused: RefusedCrawl, removed: frozenset[RecordKey]) -> bool:
        """Remember a refused crawl, and return whether crawls have not agreed on it before."""
        is_new = self._refused is None or not self._agree(self._refused, refused, removed)
        if is_new:
            self._since = self._clock()
        self._refused, self._removed = refused, removed
        return is_new

    def _agree(self, one: RefusedCrawl, other: RefusedCrawl, removed: frozenset[RecordKey]) -> bool:
        """Return whether two crawls found the same: what is wrong, as often, and the same records gone."""
        numbers = {each.name: each.number for each in one.findings}
        return (
            numbers.keys() == {each.name for each in other.findings}
            and all(
                abs(each.number - numbers[each.name]) <= self._tolerance(each.of) for each in other.findings
            )
            and len(self._removed ^ removed) <= self._tolerance(one.known)
        )

    def _is_tolerated(self, finding: Finding) -> bool:
        """Return whether a finding was accepted before, and has not grown much since."""
        return any(
            each.name == finding.name and finding.number <= (1 + self.limits.removed_share) * each.number
            for each in self._tolerated
        )

    def _tolerance(self, of: int) -> float:
        """Return how many of this many records may come and go between two crawls."""
        return max(self.limits.removed_packages, self.limits.removed_share * of)

    def _may_be_waited_for(self, findings: Sequence[Finding]) -> bool:
        return not any(each.name in (NO_PACKAGES, NO_CATEGORIES) for each in findings)


def _size(catalog: Catalog) -> int:
    return len(catalog.packages) + len(catalog.grids) + len(catalog.categories)
