"""Makes random draws and dates that are the same on every Python version and platform.

Only `random.Random.random` promises that, so everything is made from it with whole-number arithmetic.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import TypeVar

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1)


class SeededRandom:
    """Is a seeded source of numbers and choices."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed).random

    def below(self, end: int) -> int:
        """Return a whole number from 0 up to, not including, `end`."""
        return int(self._random() * end)

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of the choices."""
        return choices[int(self._random() * len(choices))]

    def chance(self, percent: float) -> bool:
        """Return true in this many of a hundred cases."""
        return self._random() * 100 < percent

    def small(self, end: int) -> int:
        """Return a number below `end`, mostly small: stars, forks and the like."""
        share = self._random()
        return int(share * share * share * share * end)


def eastern(seconds: int, microseconds: int = 0) -> str:
    """Return an instant (seconds since 1970, UTC) as v4 writes it: New York time with offset (contract, section
    3).

    Computed by the rule in force since 2007, because not every platform has the time zone database.
    """
    summer_begins, summer_ends = _summer(_EPOCH.year + seconds // 31_556_952)
    hours = 4 if summer_begins <= seconds < summer_ends else 5
    local = _EPOCH + timedelta(seconds=seconds - hours * 3600, microseconds=microseconds)
    return f"{local.isoformat()}-0{hours}:00"


@cache
def _summer(year: int) -> tuple[int, int]:
    # 2 o'clock local time on the second Sunday of March, and on the first one of November.
    march, november = datetime(year, 3, 8), datetime(year, 11, 1)
    begins = march + timedelta(days=6 - march.weekday(), hours=2 + 5)
    ends = november + timedelta(days=6 - november.weekday(), hours=2 + 4)
    return int((begins - _EPOCH).total_seconds()), int((ends - _EPOCH).total_seconds())
