"""Limits the work that one request may cause. Work is counted in steps wherever something is looped over.

A step is about a microsecond of processor time, measured on the machine of ``benchmarks/results``. The constants
below, and those of ``engine.step_costs``, say how many steps a piece of work costs; a batch is counted at once. The
same operation on the same catalog always counts the same, whatever was cached.
"""

from __future__ import annotations

from engine import Stopped, TooComplex

FIELD, INTROSPECTED, AWAITED = 6, 4, 20
"""The steps of one field or object in Strawberry's execution, of one field of introspection, and the additional steps
of a field that has to be awaited."""

DEFERRED = 25
"""The steps of one object, or rest of a list, that is delivered later than the others."""

VALUE = 10
"""The steps of one value in variables: inputs are coerced and copied."""

LOOKUP = 8
"""The steps to find one record by a key in a list."""

COUNTED = 4
"""How many ids or names are looked up and counted in a step."""

SHARED = 2
"""How many names of possible co-contributors are counted and ranked in a step."""

CONDITION = 10
"""The steps to read one condition of a filter, wherever it is given."""

ROWS = 8
"""How many rows of a column one condition compares in a step."""

WORD, RESULT = 500, 2
"""The steps of a search of the catalog: for each word of the query, which may have to be looked for in other
spellings, and for each result, as all of them are ranked."""

EXCHANGE = 500
"""The steps of one request to upstream or to the storage."""

_MAX_SAID = 2**31 - 1
"""The largest number that is reported."""


class WorkBudget:
    """Holds what a request may spend and has spent, in steps."""

    __slots__ = ("most", "spent")

    def __init__(self, most: int) -> None:
        self.most = most
        self.spent = 0

    def spend(self, steps: int) -> None:
        """Count steps before they are done.

        :raises Stopped: these are more than the request may spend. Nothing more of it is done.
        """
        self.spent += steps
        if self.spent > self.most:
            spent = min(self.spent, _MAX_SAID)
            raise Stopped(
                TooComplex(
                    f"The operation takes too much work: it was stopped at {spent:,} steps; {self.most:,} are allowed. "
                    "Ask for shorter lists, for fewer lists in lists, or for fewer filters.",
                    "work",
                    self.most,
                    spent,
                )
            )


def steps_to_read(variables: object, most: int) -> int:
    """Return the steps to read the values of variables, at any depth; some number above ``most`` if they are more,
    because a body of a megabyte has half a million values."""
    count = 0
    waiting = [variables]
    while waiting and VALUE * count <= most:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
            count += len(value)
        elif isinstance(value, list):
            waiting += value
            count += len(value)
    return VALUE * count
