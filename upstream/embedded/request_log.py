"""Counts exactly what was asked of the embedded upstream, for tests that promise few requests."""

from collections import Counter, deque

_MAX_LISTED = 100_000


class RequestLog:
    """Counts every v4 request since the last reset, however it was answered. Control requests do not count."""

    total: int
    """All requests."""
    bytes: int
    """Sum of the bytes of the bodies that were sent."""
    by_target: Counter[str]
    """Requests by path and query, as they were sent."""
    max_concurrency: int
    """The most requests that were open at one time."""
    longest_chain: int
    """Sequential rounds: the longest chain of requests that each began after the one before had ended."""
    listed: deque[tuple[str, str]]
    """(method, path and query) in order of arrival; the last 100,000."""

    def __init__(self) -> None:
        self._open = 0
        self.reset()

    def reset(self) -> None:
        """Forget everything. Requests that are still open count afterwards only as open."""
        self.total = 0
        self.bytes = 0
        self.by_target = Counter()
        self.max_concurrency = self._open
        self.longest_chain = 0
        self.listed = deque(maxlen=_MAX_LISTED)
        self._ended_rounds = 0

    def begin(self, method: str, target: str) -> int:
        """Note a request, and return its round, which is given to `end`."""
        self.total += 1
        self.by_target[target] += 1
        self.listed.append((method, target))
        self._open += 1
        if self._open > self.max_concurrency:
            self.max_concurrency = self._open
        this_round = self._ended_rounds + 1
        if this_round > self.longest_chain:
            self.longest_chain = this_round
        return this_round

    def end(self, this_round: int, sent: int) -> None:
        """Note that a request is over, with this many bytes of body sent."""
        self._open -= 1
        self.bytes += sent
        # A request from before a reset ends in a round that has not begun here.
        self._ended_rounds = max(self._ended_rounds, min(this_round, self.longest_chain))
