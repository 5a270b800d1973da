"""Writes the table of the attacks."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.attack.measuring import AttackFigures

HEAD = (
    "attack",
    "bytes in",
    "processor",
    "bytes out",
    "worst loop turn",
    "newcomer's p99",
    "answers",
    "November 2026",
)


def table(rows: Iterable[AttackFigures]) -> str:
    """Return the rows as Markdown."""
    lines = [HEAD, ("---",) * len(HEAD), *map(line, rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def line(row: AttackFigures) -> tuple[str, ...]:
    """Return the cells of a row."""
    answers = ", ".join(f"{count:,} x {name}" for name, count in row.sent.answers.most_common(4))
    told = [answers, row.sent.note, f"cut off after {row.seconds:.0f} s" if row.cut_off else ""]
    return (
        row.name,
        _bytes(row.sent.bytes_in),
        _time(row.processor),
        _bytes(row.sent.bytes_out),
        _time(row.worst_turn),
        _time(row.newcomers_p99),
        "; ".join(filter(None, told)),
        row.before,
    )


def _bytes(number: int) -> str:
    for unit, size in (("MB", 1_000_000), ("kB", 1_000)):
        if number >= 10 * size:
            return f"{number / size:,.0f} {unit}"
    return f"{number:,} B"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
