"""Draws small bar charts as SVG that needs neither script nor style of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _GAP, _HEIGHT = 10, 2, 100
_LEAST = 1.5
"""The least height of a part that is not empty, so that it can be seen."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Describes a bar, from the ground up."""

    title: str
    """The text that is shown when the pointer rests on the bar."""
    parts: Sequence[tuple[str, float]]
    """The class and the value of each part."""


def chart(bars: Sequence[Bar], label: str) -> tuple[str, float]:
    """Return the chart, stretched to its place, and the value at its upper end. ``label`` is for screen readers."""
    top = _round_up(max((sum(value for _, value in bar.parts) for bar in bars), default=0.0))
    drawn = "".join(_bar(bar, place * _WIDTH, top) for place, bar in enumerate(bars))
    box = f"0 0 {len(bars) * _WIDTH - _GAP} {_HEIGHT}"
    svg = f'<svg viewBox="{box}" preserveAspectRatio="none" role="img" aria-label="{escape(label)}">{drawn}</svg>'
    return svg, top


def _bar(bar: Bar, x: int, top: float) -> str:
    rectangles = []
    ground = float(_HEIGHT)
    for name, value in bar.parts:
        if value <= 0:
            continue
        height = max(value / top * _HEIGHT, _LEAST)
        ground = max(ground - height, 0.0)
        size = f'width="{_WIDTH - _GAP}" height="{height:.4g}"'
        rectangles.append(f'<rect class="{name}" x="{x}" y="{ground:.4g}" {size}/>')
    return f"<g><title>{escape(bar.title)}</title>{''.join(rectangles)}</g>" if rectangles else ""


def _round_up(value: float) -> float:
    """Return the next of 1, 2, 5, 10, 20, ..., so that the end of the axis is a plain number."""
    power = 1.0
    while True:
        for step in (1, 2, 5):
            if value <= step * power:
                return step * power
        power *= 10
