"""Tests the replies that are found by the bytes of a request, and what they take."""

from __future__ import annotations

from sys import getsizeof

from engine import BudgetEntry, ByteBudget
from gateway import AnswerCache, AnswerKey, CachedAnswer, GraphQLRequest
from web.response_cache import OVERHEAD, Bytes, CachedReply, ResponseCache

REQUEST: Bytes = (b"POST", b"a")


def cache(most: int = 100_000) -> ResponseCache:
    return ResponseCache(AnswerCache(ByteBudget(most)))


def kept(responses: ResponseCache, text: str = "a", version: str = "1", body: bytes = b"") -> CachedAnswer:
    return responses.answers.keep(AnswerKey(GraphQLRequest(text)), version, body, present=version)


def add(responses: ResponseCache, request: Bytes, answer: BudgetEntry) -> CachedReply:
    assert isinstance(answer, CachedAnswer)
    return responses.keep(request, "1", answer, 200, [], b"reply")


def test_a_reply_is_found_by_the_bytes_of_its_request_at_its_version() -> None:
    responses = cache()
    reply = add(responses, REQUEST, kept(responses))
    assert responses.reply(REQUEST, "1") is reply
    assert responses.reply((b"POST", b"b"), "1") is None
    assert responses.reply(REQUEST, "2") is None
    assert responses.found == 1


def test_a_reply_is_forgotten_with_its_answer() -> None:
    responses = cache()
    add(responses, REQUEST, kept(responses))
    kept(responses, version="2")
    assert responses.reply(REQUEST, "1") is None


def test_a_reply_to_the_same_bytes_takes_the_place_of_the_one_before() -> None:
    responses = cache()
    answer = kept(responses)
    add(responses, REQUEST, answer)
    taken = responses.answers.budget.taken
    reply = add(responses, REQUEST, answer)
    assert responses.reply(REQUEST, "1") is reply
    assert responses.answers.budget.taken == taken


def test_a_reply_with_an_answer_that_is_not_kept_is_given_and_not_kept() -> None:
    responses = cache(0)
    assert add(responses, REQUEST, kept(responses)).body == b"reply"
    assert responses.reply(REQUEST, "1") is None
    assert responses.answers.budget.taken == 0


def test_a_request_of_many_small_headers_takes_what_it_takes_in_memory() -> None:
    """Counted by their letters alone, such requests took ten times the memory that there is for answers."""
    responses = cache()
    request = (b"GET", *(bytes([letter]) for letter in range(100)))
    reply = add(responses, request, kept(responses))
    assert reply.size == sum(map(getsizeof, request)) + OVERHEAD


def test_many_forms_of_one_request_drive_out_one_another_and_not_its_answer() -> None:
    responses = cache(20_000)
    answer = kept(responses, "asked in many forms")
    add(responses, REQUEST, answer)
    for number in range(100):
        add(responses, (b"POST", b"%d" % number), answer)
        assert responses.reply(REQUEST, "1")
    assert responses.answers.budget.taken <= 20_000
    assert len(responses.answers) == 1


def test_a_compressed_form_is_kept_once_with_its_answer() -> None:
    responses = cache()
    answer = kept(responses, body=b"x" * 500)
    form = responses.keep_compressed(answer, "gzip", b"xx")
    assert responses.keep_compressed(answer, "gzip", b"xx") is form
    assert responses.compressed(answer, "gzip") is form
    assert responses.compressed(answer, "br") is None
    assert responses.answers.budget.taken == answer.size + 2 + OVERHEAD
    kept(responses, version="2")
    assert responses.compressed(answer, "gzip") is None
