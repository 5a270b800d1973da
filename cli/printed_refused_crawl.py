"""Prints the crawl that the guard has refused, as lines for a terminal."""

from __future__ import annotations

from catalog import RefusedCrawl


def refused_lines(refused: RefusedCrawl | None) -> list[str]:
    """Return what is known of the last crawl if it was refused, and how it is accepted."""
    if refused is None:
        return []
    hours, minutes = divmod(int(refused.agreed_seconds) // 60, 60)
    lines = [
        f"The crawl that ended at {refused.at:%Y-%m-%d %H:%M:%S} UTC is refused. {refused.reason}",
        f"It adds {refused.added:,} records, changes {refused.changed:,} and removes {refused.removed:,}. "
        f"Crawls had agreed on it for {hours} h {minutes} min then.",
    ]
    if refused.is_whole:
        lines.append("If it is right, `python server.py catalog accept` accepts it.")
    return lines
