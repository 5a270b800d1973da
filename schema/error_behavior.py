"""Reads the request parameter ``onError``, which says what the error of a field does to the answer.

It follows the proposal https://github.com/graphql/graphql-spec/pull/1163, which is a draft.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

OnError = Literal["PROPAGATE", "NULL", "HALT"]
"""If a non-null field fails, ``PROPAGATE`` makes the nearest nullable field above it null, and ``NULL`` makes the
field itself null. ``HALT`` stops at the first error of any field: ``data`` is null."""

ON_ERROR: Final[tuple[OnError, ...]] = get_args(OnError)


def read_on_error(value: object) -> OnError | None:
    """Return the behavior that a request asks for: the default if it does not say, None if there is no such."""
    if value is None:
        return "PROPAGATE"
    return next((each for each in ON_ERROR if each == value), None)
