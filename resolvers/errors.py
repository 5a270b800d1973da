"""The error of a user whose arguments make no sense. Upstream's own errors are in ``upstream.errors``."""

from __future__ import annotations

from typing import ClassVar


class BadUserInput(Exception):
    """An argument that cannot be answered. The message is a sentence for the user who wrote the query."""

    code: ClassVar[str] = "BAD_USER_INPUT"
