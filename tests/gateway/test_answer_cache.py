"""Tests the cache of answers: by version, document, operation and variables."""

from __future__ import annotations

from typing import Any

import pytest

from engine import ByteBudget
from gateway import AnswerCache, AnswerKey, CachedAnswer, GraphQLRequest
from gateway.answer_cache import OVERHEAD


def key(text: str, name: str | None = None, **variables: Any) -> AnswerKey:
    return AnswerKey(GraphQLRequest(text, variables, name))


def kept(answers: AnswerCache, text: str, body: bytes = b"", version: str = "1") -> CachedAnswer:
    return answers.keep(key(text), version, body, present="1" if version == "0" else version)


def test_an_answer_is_found_by_its_operation_at_its_version() -> None:
    answers = AnswerCache(ByteBudget(100_000))
    answer = kept(answers, "a")
    assert answers.answer(key("a"), "1") is answer
    assert answers.answer(key("a"), "2") is None
    assert answers.answer(key("b"), "1") is None
    assert (answers.found, answers.missed) == (1, 2)


@pytest.mark.parametrize("other", [key("b"), key("a", "N"), key("a", x=1), key("a", x=None)])
def test_another_document_name_or_variable_is_another_operation(other: AnswerKey) -> None:
    answers = AnswerCache(ByteBudget(100_000))
    kept(answers, "a")
    assert answers.answer(other, "1") is None


def test_the_order_of_variables_makes_no_difference() -> None:
    assert key("a", x=1, y={"a": 1, "b": 2}).key == key("a", y={"b": 2, "a": 1}, x=1).key


def test_another_present_catalog_forgets_all() -> None:
    answers = AnswerCache(ByteBudget(100_000))
    kept(answers, "a")
    kept(answers, "b", version="2")
    assert len(answers) == 1
    assert answers.answer(key("a"), "1") is None
    assert answers.budget.taken == OVERHEAD + len("b" + "None")


def test_an_answer_from_an_older_version_is_kept_beside_those_from_the_present_one() -> None:
    answers = AnswerCache(ByteBudget(100_000))
    present, older = kept(answers, "a"), kept(answers, "a", version="0")
    assert answers.answer(key("a"), "1") is present
    assert answers.answer(key("a"), "0") is older


def test_an_answer_that_makes_room_is_not_found() -> None:
    answers = AnswerCache(ByteBudget(10 * (OVERHEAD + 5)))
    for text in "abcdefghijk":
        kept(answers, text)
    assert answers.answer(key("a"), "1") is None
    assert len(answers) == 10


def test_an_answer_that_is_too_large_is_given_and_not_kept() -> None:
    answers = AnswerCache(ByteBudget(100_000))
    assert kept(answers, "a", b"x" * 13_000).body == b"x" * 13_000
    assert (len(answers), answers.budget.taken) == (0, 0)


def test_of_two_that_came_at_the_same_time_one_is_kept() -> None:
    answers = AnswerCache(ByteBudget(100_000))
    first = kept(answers, "a", b"x")
    assert kept(answers, "a", b"x") is first
    assert answers.budget.taken == first.size
