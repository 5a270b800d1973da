"""Remembers the answers of upstream, so that it is not asked again at once.

Found records, missing records and nonsense are remembered for a minute. A missing package is remembered for as long as
looks at page one show that none came.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from caching import BoundedCache
from upstream.batching.in_flight_requests import Key, Outcome
from upstream.batching.request_planning import Window
from upstream.client.v4_records import PACKAGE, Kind, Page

REMEMBERED_SECONDS = 60.0
REMEMBERED_AS_MISSING = 24 * 3600.0
"""Seconds, at most, and only while looks at page one show that no package came."""
MAX_MISSING = 20_000
"""Names of packages that are remembered as missing."""
MAX_REMEMBERED = 20_000
"""Records, each counted under its id, under its slug and on each page: the whole catalog, once."""


class RememberedAnswers:
    """Holds the answers of one process. ``clock`` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._answers: BoundedCache[tuple[str, Key | Window], Outcome] = BoundedCache(
            size=MAX_REMEMBERED, seconds=REMEMBERED_SECONDS, clock=clock
        )
        self._missing: BoundedCache[Key | Window, None] = BoundedCache(
            size=MAX_MISSING, seconds=REMEMBERED_AS_MISSING, clock=clock
        )
        self._missing_until = 0.0
        """The time until which missing packages are known to be missing, from the last look at page one."""

    def has(self, kind: Kind[Any], key: Key | Window) -> bool:
        """Return whether the answer for a key, a page or a search is remembered."""
        return (kind.singular, key) in self._answers or self._is_missing(kind, key)

    def answer(self, kind: Kind[Any], key: Key | Window) -> Outcome:
        """Return an answer that is remembered; ``None`` says that upstream has no such record."""
        return self._answers.peek((kind.singular, key))

    def remember(self, kind: Kind[Any], key: Key | Window, outcome: Outcome) -> None:
        """Remember an answer from now on."""
        self._answers.put((kind.singular, key), outcome, max(1, records_in(outcome)))
        if kind is PACKAGE and outcome is None:
            self._missing.put(key, None)
        elif kind is PACKAGE:
            self._missing.pop(key)

    def forget(self) -> None:
        """Forget everything, because a new catalog knows better."""
        self._answers.clear()
        self._missing.clear()

    def looked(self, seconds: float) -> None:
        """Let missing packages stay missing for ``seconds``, because a look has just shown that none came."""
        self._missing_until = self._clock() + seconds

    def _is_missing(self, kind: Kind[Any], key: Key | Window) -> bool:
        return kind is PACKAGE and key in self._missing and self._clock() < self._missing_until


def records_in(outcome: Outcome) -> int:
    """Return how many records an answer saves upstream. The hits of a search do not count."""
    if isinstance(outcome, Page):
        return len(outcome.results)
    return 0 if isinstance(outcome, tuple) else 1
