"""The errors of those who write operations, one field's each.

Those that end a whole run are in ``engine.run_errors``, upstream's own in ``upstream.client.upstream_errors``.
"""

from __future__ import annotations

from typing import ClassVar


class Forbidden(Exception):
    """A request that only some may make. The message is a sentence for whoever made it."""

    code: ClassVar[str] = "FORBIDDEN"


class BadUserInput(Exception):
    """An argument that cannot be answered. The message is a sentence for the user who wrote the query."""

    code: ClassVar[str] = "BAD_USER_INPUT"
