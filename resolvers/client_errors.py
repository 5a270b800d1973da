"""Defines the errors that clients cause, each of one field.

``engine.run_errors`` has the errors that end a whole run, and ``upstream.client.upstream_errors`` those of upstream.
"""

from __future__ import annotations

from typing import ClassVar


class Forbidden(Exception):
    """Refuses a request that only some may make. The message is a sentence for the client."""

    code: ClassVar[str] = "FORBIDDEN"


class BadUserInput(Exception):
    """Refuses an argument. The message is a sentence for the author of the query."""

    code: ClassVar[str] = "BAD_USER_INPUT"
