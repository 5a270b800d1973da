"""Failures leave marks in an answer, also in pieces that were encoded before, and are found again in its order."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from engine.field_failures import AnswerEncoder, Encoded, Failed, errors_in
from engine.run_errors import Stopped


class Answer(msgspec.Struct, rename={"first": "key"}):
    """Has one field under an alias."""

    first: Any
    second: Any


def failed(what: str) -> Failed:
    return Failed(ValueError(what), ())


def test_a_piece_is_marked_if_a_failure_is_in_it_and_no_other_is() -> None:
    encoder = AnswerEncoder()
    marked, unmarked = encoder.piece(Answer(1, failed("x"))), encoder.piece(Answer(1, 2))
    assert [type(each) for each in (marked, unmarked)] == [Encoded, msgspec.Raw]
    assert isinstance(encoder.piece([unmarked]), msgspec.Raw)
    assert isinstance(encoder.piece([marked]), Encoded)
    assert len(marked) == len(b'{"key":1,"second":null}')
    assert encoder.whole([marked, unmarked]) == (b'[{"key":1,"second":null},{"key":1,"second":2}]', True)
    assert encoder.whole([unmarked]) == (b'[{"key":1,"second":2}]', False)
    assert encoder.whole([failed("x"), None]) == (b"[null,null]", True)
    with pytest.raises(TypeError, match="is no answer"):
        encoder.whole(object())


async def test_failures_are_found_in_the_order_of_the_answer_with_their_paths() -> None:
    encoder = AnswerEncoder()
    shared = encoder.piece(Answer(failed("a"), [1, failed("b")]))
    steps: list[int] = []
    answer = Answer(
        [shared, None, encoder.piece([Answer("x", failed("c"))])], [shared, encoder.piece(Answer(1, 2))]
    )
    errors = await errors_in(answer, 10_000, steps.append)
    assert [(error.message, error.path) for error in errors] == [
        ("a", ["key", 0, "key"]),
        ("b", ["key", 0, "second", 1]),
        ("c", ["key", 2, 0, "second"]),
        ("a", ["second", 0, "key"]),
        ("b", ["second", 0, "second", 1]),
    ]
    assert len(steps) == len(errors)


async def test_more_failures_than_an_answer_can_tell_of_end_it() -> None:
    answer = [failed("x")] * 5
    assert len(await errors_in(answer, 300, lambda _steps: None)) == 5
    with pytest.raises(
        Stopped, match="would have 300 bytes or more; an answer can have up to 299"
    ) as stopped:
        await errors_in(answer, 299, lambda _steps: None)
    assert stopped.value.error.code == "OPERATION_TOO_COMPLEX"
