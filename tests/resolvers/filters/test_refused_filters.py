"""Tests filters and orders that make no sense, each refused in a sentence, and filters that nothing matches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.package_lists import LIST, found

if TYPE_CHECKING:
    from tests.support.gateway_in_process import Ask


DEEP: dict[str, Any] = {}
for _ in range(150):
    DEEP = {"not": DEEP}


@pytest.mark.parametrize(
    ("filter", "sentence"),
    [
        ({"stars": {"min": 2, "max": 1}}, "has stars with min 2 above max 1."),
        (
            {"created": {"after": "2020-01-01T00:00:00Z", "before": "2019-01-01T00:00:00Z"}},
            "has created with after later than before.",
        ),
        (
            {"created": {"after": "2020-01-01T00:00:00"}},
            'has created with the time 2020-01-01T00:00:00 without an offset; add one, like "Z".',
        ),
        ({"activeWithinDays": -1}, "has activeWithinDays -1; it can be 0 to 36500."),
        ({"or": []}, "has an empty or; give it at least one filter."),
        ({"inAnyGrid": []}, "has inAnyGrid with 0 slugs; it can have 1 to 100."),
        ({"inAllGrids": ["x"] * 101}, "has inAllGrids with 101 slugs; it can have 1 to 100."),
        ({"text": "x" * 10_000}, "has text with 10,000 characters; it can have 1,000."),
        ({"title": "a\0b"}, "has title with a NUL character, which is not allowed."),
        (
            {"category": "Apps"},
            'has category "Apps", which is the slug of no category; it can be "Widgets_legacy", "apps", '
            '"frameworks", "other", "projects", "templates".',
        ),
        (
            {"category": "x" * 10_000},
            f'has category "{"x" * 50}", which is the slug of no category; it can be "Widgets_legacy", "apps", '
            '"frameworks", "other", "projects", "templates".',
        ),
        (DEEP, "has more than 100 conditions."),
        ({"or": [{"stars": {"min": 1}}] * 60}, "has more than 100 conditions."),
    ],
)
async def test_a_filter_that_makes_no_sense_is_a_sentence(
    ask_catalog: Ask, filter: dict[str, Any], sentence: str
) -> None:
    body = await ask_catalog(LIST, filter=filter)
    (error,) = body["errors"]
    assert error["message"] == f"packages(filter:) {sentence}"
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert body["data"] == {"packages": None}


@pytest.mark.parametrize(
    "filter",
    [
        {"text": "\ud800"},
        {"contributor": ""},
        {"repositoryHost": "\ud800"},
        {"stars": {"min": 2**31 - 1}},
        {"created": {"after": "9999-12-31T23:59:59+00:00"}},
        {"lastCommit": {"before": "0001-01-01T00:00:00+00:00"}},
    ],
)
async def test_a_filter_that_nothing_matches_finds_nothing(ask_catalog: Ask, filter: dict[str, Any]) -> None:
    assert await found(ask_catalog, filter=filter) == []


@pytest.mark.parametrize(
    "filter", [{"stars": {"min": 2**31}}, {"created": {"after": "yesterday"}}, {"nothing": 1}, {"or": 5}]
)
async def test_a_value_of_the_wrong_type_is_refused_with_its_place(
    ask_catalog: Ask, filter: dict[str, Any]
) -> None:
    (error,) = (await ask_catalog(LIST, filter=filter))["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert "$filter" in error["message"]


async def test_an_unknown_order_is_refused(ask_catalog: Ask) -> None:
    (error,) = (await ask_catalog(LIST, orderBy="STARS"))["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert "STARS" in error["message"]
