"""The work that one request may cause, counted in steps wherever something is looped over.

A step is about a microsecond of processor time, measured on the machine of ``benchmarks/results``. What costs more than
one, or less, is counted as so many steps by the constants below, and by those of ``engine.work_costs``; a batch is
counted at once. The same operation on the same catalog counts the same, whatever was worked out before and kept.
"""

from __future__ import annotations

from engine import Stopped, TooComplex

FIELD, INTROSPECTED, AWAITED = 6, 4, 20
"""Steps of one field, or object, in Strawberry's execution, of one field of introspection, and how many more there are
of a field that has to be awaited."""

DEFERRED = 25
"""Steps of one object, or rest of a list, that comes later than the others."""

VALUE = 10
"""Steps of one value in variables: inputs are coerced and copied."""

LOOKUP = 8
"""Steps to find one record by a key of a list."""

COUNTED = 4
"""How many ids or names are looked up and counted in a step."""

SHARED = 2
"""How many names that may be those of co-contributors are counted and ranked in a step."""

CONDITION = 10
"""Steps to read one condition of a filter, wherever one is given."""

ROWS = 8
"""How many rows of a column one condition compares in a step."""

WORD, RESULT = 500, 2
"""Steps of a search of the catalog for each word of the query, which may have to be looked for in other spellings, and
for each result, all of which are ranked."""

EXCHANGE = 500
"""Steps of what is asked of upstream, or of the storage."""

_MOST_SAID = 2**31 - 1
"""A larger number is told as this."""


class WorkBudget:
    """What a request may spend, and what it has spent, in steps."""

    __slots__ = ("most", "spent")

    def __init__(self, most: int) -> None:
        self.most = most
        self.spent = 0

    def spend(self, steps: int) -> None:
        """Count so many steps, before they are done.

        :raises Stopped: that is more than the request may spend; nothing more of it is done.
        """
        self.spent += steps
        if self.spent > self.most:
            spent = min(self.spent, _MOST_SAID)
            raise Stopped(
                TooComplex(
                    f"The operation takes too much work: it was stopped at {spent:,} steps; {self.most:,} are allowed. "
                    "Ask for shorter lists, for fewer lists in lists, or for fewer filters.",
                    "work",
                    self.most,
                    spent,
                )
            )


def values_in(variables: object) -> int:
    """Return how many values there are in the values of variables, however deep."""
    count = 0
    waiting = [variables]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
            count += len(value)
        elif isinstance(value, list):
            waiting += value
            count += len(value)
    return count
