"""Picks the cheapest requests for the records that are wanted: details, pages around them, or the whole list.

Upstream has no bulk lookup (contract section 1), but its lists are ordered, and a record on a page costs a fiftieth of
a detail (contract section 7). So many records are cheapest by page, even if most of a page is not wanted. Bounds of
places come from :class:`~upstream.batching.list_positions.ListPositions`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

MAX_PAGE = 250
"""Records on one page: about 100 ms of upstream time, so that a request behind it does not wait long."""

GUESSED_COUNTS = {"package": 5400, "grid": 440, "category": 6}
"""The assumed length of each list before any answer has said it (contract section 0)."""


@dataclass(frozen=True, slots=True)
class Window:
    """Describes a page to ask for, and the wanted ids that can be on it."""

    offset: int
    limit: int
    ids: tuple[int, ...]

    def covers(self, first: int, last: int) -> bool:
        """Return whether a record with these bounds must be on this page, if it exists."""
        return self.offset <= first and last < self.offset + self.limit


@dataclass(frozen=True, slots=True)
class RequestPlan:
    """Says what to ask for, and what it costs by the model, in seconds of upstream time."""

    details: tuple[int, ...]
    windows: tuple[Window, ...]
    seconds: float
    whole: bool = False
    """Whether the windows are the whole list, any of which can hold any id."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Holds the cost model for one kind of record, in seconds of upstream time."""

    detail: float
    page: float
    """The fixed part of a page."""
    record: float
    """Each record on it."""
    skipped: float
    """Each record before it, which upstream reads and throws away: no more than one on the page."""

    def window(self, offset: int, limit: int) -> float:
        """Return a page of this many records, from that place on."""
        return self.page + self.skipped * offset + self.record * limit


def cheapest(wanted: Iterable[tuple[int, tuple[int, int]]], prices: Prices, count: int) -> RequestPlan:
    """Return the cheapest plan for the wanted ids, each with the bounds of its place; ``count`` is the list's
    length.

    One record is asked for alone even if a page would be cheaper, because its place may have moved.
    """
    near: list[_Near] = []
    far: list[int] = []
    absent: list[int] = []
    for id, (first, last) in wanted:
        if last < first:
            absent.append(id)
        elif last - first < MAX_PAGE:
            near.append((first, last, id))
        else:
            far.append(id)
    details, windows = _runs(sorted(near), prices)
    details += far
    seconds = prices.detail * len(details) + _price(windows, prices)
    plan = RequestPlan(tuple(details), tuple(windows), seconds)
    # No list is made of more pages than could be cheaper, because a wrong count can be any number.
    if len(near) + len(far) > 1 and prices.window(0, MAX_PAGE) * (count // MAX_PAGE) < plan.seconds:
        whole = _whole_list(prices, count)
        plan = min(plan, whole, key=lambda plan: plan.seconds)
    # A record without a place is on no page. A detail says for certain.
    return replace(
        plan, details=plan.details + tuple(absent), seconds=plan.seconds + prices.detail * len(absent)
    )


_Near = tuple[int, int, int]
"""The first and the last place of a record, near enough to each other for one page, and its id."""


def _runs(near: list[_Near], prices: Prices) -> tuple[list[int], list[Window]]:
    """Return the cheapest details and pages for records in order of their places.

    The cost of the first records follows from the cost of fewer of them: the last one is asked for alone, or on a page
    that begins at an earlier one. The price of a page has a part for its begin and a part for its end, so the best
    begin is the same for every end within reach. ``queue`` has the begins within reach, cheapest first (a
    sliding-window minimum); each enters and leaves once.
    """
    least = [0.0]  # seconds for the first n records
    without_end: list[float] = []  # seconds for those before the n-th and for a page from there, less its end
    begins: list[int] = []  # the first record that is asked for together with the n-th
    queue: deque[int] = deque()
    reach = 0
    for n, (first, last, _) in enumerate(near):
        reach = max(reach, last)
        while queue and reach - near[queue[0]][0] >= MAX_PAGE:
            queue.popleft()
        seconds, begin = least[n] + prices.detail, n
        if queue and without_end[queue[0]] + prices.record * (reach + 1) < seconds:
            begin = queue[0]
            seconds = without_end[begin] + prices.record * (reach + 1)
        least.append(seconds)
        begins.append(begin)
        without_end.append(least[n] + prices.window(first, -first))
        while queue and without_end[queue[-1]] >= without_end[n]:
            queue.pop()
        queue.append(n)
    return _asked(near, begins)


def _asked(near: list[_Near], begins: list[int]) -> tuple[list[int], list[Window]]:
    """Return the details and pages, from the begin of each."""
    details: list[int] = []
    windows: list[Window] = []
    end = len(near)
    while end:
        begin = begins[end - 1]
        run = near[begin:end]
        if len(run) == 1:
            details.append(run[0][2])
        else:
            offset = run[0][0]
            reach = max(last for _, last, _ in run)
            windows.append(Window(offset, reach - offset + 1, tuple(id for _, _, id in run)))
        end = begin
    return details[::-1], windows[::-1]


def _whole_list(prices: Prices, count: int) -> RequestPlan:
    windows = tuple(Window(offset, MAX_PAGE, ()) for offset in range(0, max(count, 1), MAX_PAGE))
    # The last page has no more records than are left.
    beyond = MAX_PAGE * len(windows) - count
    return RequestPlan((), windows, _price(windows, prices) - prices.record * beyond, whole=True)


def _price(windows: Iterable[Window], prices: Prices) -> float:
    return sum(prices.window(window.offset, window.limit) for window in windows)
