"""Shows the traffic of the last hours as charts and sentences of the home page."""

from __future__ import annotations

from datetime import UTC, datetime

from web.monitoring.traffic_history import Counts, Lately
from web.pages.svg_charts import Bar


def answers_by_time(lately: Lately) -> tuple[list[Bar], str]:
    """Return a bar of answers for each span of time, and all in words for screen readers."""
    bars = [
        Bar(
            f"{time}: {counts.from_memory:,} from memory, {counts.from_upstream:,} needed Django Packages",
            [("memory", counts.from_memory), ("upstream", counts.from_upstream)],
        )
        for time, counts in _timed(lately)
    ]
    return bars, f"Answers, {_each_bar(lately)}. {answers_words(lately.sum)}"


def latency(lately: Lately) -> tuple[list[Bar], str]:
    """Return a bar of the milliseconds of a request to upstream for each span of time, and all in words."""
    bars = [
        Bar(
            f"{time}: {counts.milliseconds or 0:,.0f} ms, {counts.requests:,} requests, {counts.failures:,} failed",
            [("upstream", counts.milliseconds or 0)],
        )
        for time, counts in _timed(lately)
    ]
    return bars, f"Milliseconds per request, {_each_bar(lately)}. {upstream_words(lately.sum)}"


def _each_bar(lately: Lately) -> str:
    return "minute by minute" if lately.minutes == 1 else f"{lately.minutes} minutes per bar"


def _timed(lately: Lately) -> list[tuple[str, Counts]]:
    began = int(lately.began)
    step = lately.minutes * 60
    return [
        (datetime.fromtimestamp(began + place * step, UTC).strftime("%H:%M"), counts)
        for place, counts in enumerate(lately.bars)
    ]


def answers_words(counts: Counts) -> str:
    """Return how many answers there were, and from where, in a sentence."""
    answered = counts.from_memory + counts.from_upstream
    if not answered:
        return "No requests yet."
    # The share is rounded down, because nearly all is not all.
    return f"{answered:,} in total, {100 * counts.from_memory // answered}% of them from memory."


def upstream_words(counts: Counts) -> str:
    """Return how many requests upstream had, and how it did, in a sentence."""
    if counts.milliseconds is None:
        return "No requests."
    return (
        f"{counts.requests:,} requests, {counts.failures:,} failed; {counts.milliseconds:,.0f} ms on average."
    )
