"""Defines why an operation is refused that may be answered a little later."""

from __future__ import annotations


class RetryLater(Exception):
    """Says that an operation is not answered now. The message is a sentence for the client."""

    code: str

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds after which another try may succeed."""


class Overloaded(RetryLater):
    """Says that the gateway has too much to do: no slot became free for an operation."""

    code = "OVERLOADED"


class RateLimited(RetryLater):
    """Says that a client has used up what it may use for now."""

    code = "RATE_LIMITED"
