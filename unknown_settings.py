"""Finds environment variables that look like a setting but are none."""

from __future__ import annotations

from collections.abc import Collection, Iterable

PREFIX = "GATEWAY_"
"""How the variables of all settings begin."""

MIN_ALIKE = 0.75
"""How alike two names must be, from 0 to 1, so that one is taken for a misspelling of the other. Names that a
cluster or another program gives its variables, such as ``GATEWAY_SERVICE_HOST``, are less alike than that."""


def misspelt(variables: Iterable[str], settings: Collection[str]) -> tuple[str, str] | None:
    """Return the first variable that is no setting but looks like one, and the name of that one; None if there is none.

    ``settings`` are the names without the prefix, in lower case. The case of a variable does not matter.
    """
    names = [f"{PREFIX}{setting.upper()}" for setting in settings]
    known = set(names)
    unknown = sorted(
        each for each in variables if each.upper().startswith(PREFIX) and each.upper() not in known
    )
    for each in unknown:
        # The import is here, because nearly no start needs it.
        from difflib import get_close_matches

        # The prefix is left out, or all names would look alike.
        shown = [name.removeprefix(PREFIX) for name in names]
        nearest = get_close_matches(each.upper().removeprefix(PREFIX), shown, n=1, cutoff=MIN_ALIKE)
        if nearest:
            return each, PREFIX + nearest[0]
    return None
