"""Counts the HTTP requests of a process, and measures how long each took until its answer began.

The time ends with the head of the answer, so that an event stream, which lasts for hours, counts as any other request.
"""

from __future__ import annotations

from time import perf_counter

from starlette.types import Message, Send

from telemetry import DurationHistogram, DurationHistograms

METHODS = frozenset(["GET", "HEAD", "OPTIONS", "POST", "QUERY"])

OTHER = "other"
"""The label of methods and paths that the gateway does not have."""

UNANSWERED = 499
"""The status of requests whose client left before the answer began, as nginx has it."""

RequestLabels = tuple[str, str, int]
"""A method, a handler and a status."""


class RequestCount:
    """Counts the requests with the same labels that were answered, and their durations with those of their handler."""

    __slots__ = ("_durations", "count", "labels")

    def __init__(self, labels: RequestLabels, durations: DurationHistogram) -> None:
        self.labels = labels
        self.count = 0
        self._durations = durations

    def answered(self, seconds: float) -> None:
        """Count a request whose answer began ``seconds`` after it came."""
        self.count += 1
        self._durations.observe(seconds)


class RequestCounts:
    """Counts the requests that were answered, and their durations by handler.

    ``handlers`` are the first segments of all paths that the app serves, which the app sets. All others count as one,
    because clients can make them up.
    """

    def __init__(self) -> None:
        self.handlers: frozenset[str] = frozenset()
        self.durations = DurationHistograms()
        self._counts: dict[RequestLabels, RequestCount] = {}

    @property
    def counts(self) -> dict[RequestLabels, int]:
        """Return the numbers of requests by their labels."""
        return {labels: counted.count for labels, counted in self._counts.items()}

    def of(self, method: str, path: str, status: int) -> RequestCount:
        """Return what counts a request. There are few of them, whatever clients send."""
        handler = first_segment(path)
        labels = (
            method if method in METHODS else OTHER,
            handler if handler in self.handlers else OTHER,
            status,
        )
        counted = self._counts.get(labels)
        if counted is None:
            counted = self._counts[labels] = RequestCount(labels, self.durations[(labels[1],)])
        return counted


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
        counted = requests.of(method, path, self.status)
        counted.answered(seconds)
        return counted.labels
