"""Defines the errors that end a run or prevent it, because the operation exceeds a limit.

============== ========================== ============================================
class          code                       raised
============== ========================== ============================================
TooComplex     ``OPERATION_TOO_COMPLEX``  by a limit of documents, and by a work budget
AnswerTooLarge ``OPERATION_TOO_COMPLEX``  by the engine, while it builds an answer
OutOfTime      ``OPERATION_TIMEOUT``      by a deadline
Stopped        that of its ``error``      around each of them, while an operation runs
============== ========================== ============================================
"""

from __future__ import annotations

from typing import ClassVar


class TooComplex(Exception):
    """Says that an operation is beyond a limit. The message is a sentence that says what it has, and what is
    allowed."""

    code: ClassVar[str] = "OPERATION_TOO_COMPLEX"

    def __init__(self, message: str, limit: str, allowed: int, value: int, path: str | None = None) -> None:
        super().__init__(message)
        self.limit = limit
        """The name of the limit."""
        self.allowed = allowed
        self.value = value
        """What the operation has of it."""
        self.path = path
        """The fields that lead to most of it, if it is of some of them."""


class AnswerTooLarge(TooComplex):
    """Says that an answer is larger than answers may be."""

    def __init__(self, allowed: int, value: int) -> None:
        super().__init__(
            f"The answer would have {value:,} bytes or more; an answer can have up to {allowed:,}.",
            "answer_bytes",
            allowed,
            value,
        )


class OutOfTime(Exception):
    """Says that an operation takes longer than operations may take."""

    code: ClassVar[str] = "OPERATION_TIMEOUT"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"The operation took longer than {seconds:g} seconds, which is as long as one can take, and was ended."
        )


class Stopped(BaseException):
    """Ends a request that may not go on, wherever it is.

    It is no ``Exception``, so that neither the engine nor graphql-core takes it for the error of one field and
    continues with the others.
    """

    def __init__(self, error: TooComplex | OutOfTime) -> None:
        super().__init__(str(error))
        self.error = error
        """What the client is told in place of an answer."""
        self.used_subtrees = False
        """Whether subtrees were in the answer. Without them the same error has another number."""
