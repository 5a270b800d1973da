"""What the error of a field does to the answer: the request parameter ``onError``.

It follows the proposal https://github.com/graphql/graphql-spec/pull/1163, which is a draft.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

OnError = Literal["PROPAGATE", "NULL", "HALT"]
"""Where a field fails that may not be null, ``PROPAGATE`` makes the nearest field above it null that may be, and
``NULL`` makes the field itself null. ``HALT`` stops at the first error of any field: ``data`` is null."""

ON_ERROR: Final[tuple[OnError, ...]] = get_args(OnError)


def read_on_error(value: object) -> OnError | None:
    """Return the behavior that a request asks for: the default if it does not say, None if there is no such."""
    if value is None:
        return "PROPAGATE"
    return next((each for each in ON_ERROR if each == value), None)
