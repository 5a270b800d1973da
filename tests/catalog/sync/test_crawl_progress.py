"""Tests how far a crawl is said to be, and how long it will still take at its pace."""

from __future__ import annotations

import pytest

from catalog.sync.crawl_progress import CrawlProgress


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("seconds", "noted", "left", "told"),
    [
        # Lists that were not begun are guessed: 440 grids and 6 categories.
        (10, [("packages", 2700, 5400)], 12, "2,700 of 5,400 packages so far"),
        (10, [("packages", 100, 5400)], 300, "100 of 5,400 packages so far"),
        (10, [("packages", 5400, 5400), ("grids", 440, 440)], 1, "5,400 of 5,400 packages so far"),
        (
            10,
            [("packages", 300, 300), ("grids", 40, 40), ("categories", 6, 6)],
            1,
            "300 of 300 packages so far",
        ),
        # A list can shrink while it is read.
        (10, [("packages", 9000, 5400)], 1, "9,000 of 5,400 packages so far"),
    ],
)
def test_the_time_left_is_that_of_the_records_left_at_the_pace_so_far(
    seconds: float, noted: list[tuple[str, int, int]], left: int, told: str
) -> None:
    clock, passed_on = Clock(), []
    progress = CrawlProgress(lambda *each: passed_on.append(each), clock)
    clock.now += seconds
    for each in noted:
        progress.note(*each)
    assert progress.seconds_left == left
    assert str(progress) == told
    assert passed_on == noted


def test_before_the_first_page_nobody_can_tell_how_long_it_takes() -> None:
    assert CrawlProgress(lambda *each: None).seconds_left is None
