"""Counts the HTTP requests of a process, and measures how long each took until its answer began.

The time ends with the head of the answer, so that an event stream, which lasts for hours, counts as any other request.
"""

from __future__ import annotations

from collections import Counter
from time import perf_counter

from starlette.types import Message, Send

from telemetry import DurationHistograms

METHODS = frozenset(["GET", "HEAD", "OPTIONS", "POST", "QUERY"])

OTHER = "other"
"""The label of methods and paths that the gateway does not have."""

UNANSWERED = 499
"""The status of requests whose client left before the answer began, as nginx has it."""

RequestLabels = tuple[str, str, int]
"""A method, a handler and a status."""


class RequestCounts:
    """Counts the requests that were answered, and their durations by handler.

    ``handlers`` are the first segments of all paths that the app serves, which the app sets. All others count as one,
    because clients can make them up.
    """

    def __init__(self) -> None:
        self.handlers: frozenset[str] = frozenset()
        self.counts: Counter[RequestLabels] = Counter()
        self.durations = DurationHistograms()

    def labels_of(self, method: str, path: str, status: int) -> RequestLabels:
        """Return what a request is counted by, which is one of few values whatever the client sent."""
        handler = first_segment(path)
        return (
            method if method in METHODS else OTHER,
            handler if handler in self.handlers else OTHER,
            status,
        )

    def answered(self, labels: RequestLabels, seconds: float) -> None:
        """Count a request whose answer began ``seconds`` after it came."""
        self.counts[labels] += 1
        self.durations[(labels[1],)].observe(seconds)


def first_segment(path: str) -> str:
    """Return the beginning of a path, such as ``/docs``."""
    return "/" + path[1:].partition("/")[0]


class CountedSend:
    """Sends the answer to one request, and notes its status and when it began."""

    __slots__ = ("_came", "seconds", "send", "status")

    def __init__(self, send: Send) -> None:
        self.send = send
        self.status = UNANSWERED
        self.seconds: float | None = None
        self._came = perf_counter()

    async def __call__(self, message: Message) -> None:
        """Send a message of the answer."""
        if message["type"] == "http.response.start":
            self.begin(message["status"])
        await self.send(message)

    def begin(self, status: int) -> None:
        """Note that the answer begins."""
        self.status = status
        self.seconds = perf_counter() - self._came

    def fail(self) -> None:
        """Note that the app failed; the server says so where no answer began."""
        if self.seconds is None:
            self.begin(500)

    def count(self, requests: RequestCounts, method: str, path: str) -> RequestLabels:
        """Count the request, which has ended, and return what it is counted by."""
        seconds = perf_counter() - self._came if self.seconds is None else self.seconds
        labels = requests.labels_of(method, path, self.status)
        requests.answered(labels, seconds)
        return labels
