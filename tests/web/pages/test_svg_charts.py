"""Tests the charts of the home page: bars in stacks, under an axis whose end is a round number."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from web.pages.svg_charts import Bar, chart


def rectangles(svg: str) -> list[tuple[str, str, str, str]]:
    """Return the class, x, y and height of each."""
    names = ("class", "x", "y", "height")
    return [tuple(each.get(name, "") for name in names) for each in ElementTree.fromstring(svg).iter("rect")]  # type: ignore[misc]


def test_a_chart_stacks_its_bars_under_a_plain_number() -> None:
    bars = [Bar("one", [("a", 10), ("b", 5)]), Bar("none", [("a", 0)]), Bar("two", [("a", 20)])]
    svg, top = chart(bars, "a & b")
    assert top == 20
    assert rectangles(svg) == [("a", "0", "50", "50"), ("b", "0", "25", "25"), ("a", "20", "0", "100")]
    assert [title.text for title in ElementTree.fromstring(svg).iter("title")] == ["one", "two"]
    assert 'aria-label="a &amp; b"' in svg


def test_in_a_chart_a_little_is_seen_and_too_much_stays_within() -> None:
    svg, top = chart([Bar("", [("a", 999.9), ("b", 0.1)])], "")
    assert top == 1000
    assert rectangles(svg) == [("a", "0", "0.01", "99.99"), ("b", "0", "0", "1.5")]


@pytest.mark.parametrize(("most", "top"), [(0, 1), (0.4, 1), (1, 1), (3, 5), (11, 20), (51, 100)])
def test_the_end_of_an_axis_is_a_round_number(most: float, top: float) -> None:
    assert chart([Bar("", [("a", most)])], "")[1] == top
