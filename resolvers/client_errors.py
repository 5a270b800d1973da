"""Defines the errors that clients cause, each of one field.

Those that end a whole run are in ``engine.run_errors``, upstream's own in ``upstream.client.upstream_errors``.
"""

from __future__ import annotations

from typing import ClassVar


class Forbidden(Exception):
    """Refuses a request that only some may make. The message is a sentence for the client."""

    code: ClassVar[str] = "FORBIDDEN"


class BadUserInput(Exception):
    """Refuses an argument. The message is a sentence for whoever wrote the query."""

    code: ClassVar[str] = "BAD_USER_INPUT"
