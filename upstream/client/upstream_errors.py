"""Defines what can go wrong with upstream and with the storage, each with the code that a GraphQL client sees.

    UpstreamError
    ├── UpstreamTimeout       UPSTREAM_TIMEOUT       no answer within the time limit
    ├── UpstreamUnavailable   UPSTREAM_UNAVAILABLE   no connection, or an answer of 5xx
    ├── UpstreamRateLimited   UPSTREAM_RATE_LIMITED  an answer of 429
    ├── UpstreamBadData       UPSTREAM_BAD_DATA      an answer that is not what the v4 API sends
    │   └── ContradictoryList                        a list whose pages say that it is longer or shorter than it is
    └── BudgetSpent           RATE_LIMITED           the gateway asks no more for now
    StorageUnavailable        STORAGE_UNAVAILABLE    the file of the catalog cannot be used

A missing record is not among them: the client answers ``None`` for it. Messages are shown to clients of the
gateway, so they name paths and reasons, never hosts or headers.
"""

from __future__ import annotations

from typing import ClassVar


class UpstreamError(Exception):
    """Upstream did not give the answer that was asked for.

    ``retry_after`` is the number of seconds after which upstream wants to be asked again, if it said so. ``remedy`` is
    a sentence for the operator, which no client is told.
    """

    code: ClassVar[str]

    def __init__(self, message: str, *, retry_after: float | None = None, remedy: str = "") -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.remedy = remedy

    @property
    def for_operator(self) -> str:
        """Return the message with the remedy."""
        return f"{self} {self.remedy}".rstrip()


class UpstreamTimeout(UpstreamError):
    """Says that no answer came within the time limit."""

    code = "UPSTREAM_TIMEOUT"


class UpstreamUnavailable(UpstreamError):
    """Says that there was no connection, or an answer of 5xx, which is then ``status``."""

    code = "UPSTREAM_UNAVAILABLE"

    def __init__(self, message: str, *, retry_after: float | None = None, status: int | None = None) -> None:
        super().__init__(message, retry_after=retry_after)
        self.status = status


class UpstreamRateLimited(UpstreamError):
    """Says that the answer was 429."""

    code = "UPSTREAM_RATE_LIMITED"


def tells_of_load(failure: UpstreamError) -> bool:
    """Return whether a failure means that upstream has more to do than it can."""
    refused = isinstance(failure, UpstreamUnavailable) and (
        failure.status == 503 or failure.retry_after is not None
    )
    return refused or isinstance(failure, UpstreamTimeout | UpstreamRateLimited)


class UpstreamBadData(UpstreamError):
    """Says that an answer is not what the v4 API sends: another status, content type or shape."""

    code = "UPSTREAM_BAD_DATA"


class ContradictoryList(UpstreamBadData):
    """Says that the pages of a list contradict one another, or their own count, so that it cannot be read to its
    end."""


class BudgetSpent(UpstreamError):
    """Upstream was not asked, because the budget for what strangers can make up is spent."""

    code = "RATE_LIMITED"

    def __init__(self, retry_after: float) -> None:
        super().__init__(
            "The gateway has used up its budget for searches and unknown keys at Django Packages for now.",
            retry_after=retry_after,
        )


class StorageUnavailable(Exception):
    """The storage of the catalog cannot be used. The message is one sentence for the operator.

    It has the path of the file, or the address of the server without its user and password, and the ``reason``, which
    is the end of the sentence. ``told`` is the sentence for clients, which names neither.
    """

    code: ClassVar[str] = "STORAGE_UNAVAILABLE"
    told = "The gateway's storage cannot be used now. Try again in a moment."

    def __init__(self, name: str, reason: str) -> None:
        self.reason = reason
        what = "storage" if "://" in name else "catalog file"
        super().__init__(f"The {what} {name} cannot be used: {reason}.")


class StorageAway(StorageUnavailable):
    """The server that stores the catalog cannot be used now. Gateways continue without it, until they can use it
    again."""


class StoredMeanwhile(StorageUnavailable):
    """Another process has stored a catalog meanwhile, which must not be replaced."""

    def __init__(self, path: str) -> None:
        super().__init__(path, "another process has stored a catalog in it meanwhile")


class NothingStored(StorageUnavailable):
    """The storage has no catalog of this upstream, and so no change feed."""

    told = "The gateway has stored no catalog yet, so it knows of no changes. Try again in a moment."

    def __init__(self) -> None:
        self.reason = "it has no catalog yet"
        Exception.__init__(self, "The storage has no catalog yet.")
