"""The memory of answers: what is found, and what makes room."""

from __future__ import annotations

from sys import getsizeof

from web.response_cache import OVERHEAD, CachedAnswer, CachedReply, ResponseCache

REPLY = CachedReply([], b"reply")


def kept(responses: ResponseCache, name: str, length: int = 0, version: str = "1") -> CachedAnswer:
    return responses.keep(name, len(name), b"x" * length, version)


def test_an_answer_is_found_by_its_operation_at_its_version() -> None:
    responses = ResponseCache(100_000)
    answer = kept(responses, "a")
    assert responses.answer("a", "1") is answer
    assert responses.answer("a", "2") is None
    assert responses.answer("b", "1") is None
    assert (responses.found_by_meaning, responses.missed) == (1, 2)


def test_a_reply_is_found_by_the_bytes_of_its_request_at_its_version() -> None:
    responses = ResponseCache(100_000)
    responses.add_request(kept(responses, "a"), (b"POST", b"a"), REPLY)
    assert responses.reply((b"POST", b"a"), "1") is REPLY
    assert responses.reply((b"POST", b"b"), "1") is None
    assert responses.reply((b"POST", b"a"), "2") is None
    assert responses.found_by_bytes == 1


def test_a_new_version_forgets_everything() -> None:
    responses = ResponseCache(100_000)
    responses.add_request(kept(responses, "a"), (b"a",), REPLY)
    kept(responses, "b", version="2")
    assert len(responses) == 1
    assert responses.reply((b"a",), "1") is None
    assert responses.bytes == OVERHEAD + 1


def test_what_was_used_last_stays() -> None:
    responses = ResponseCache(10 * (OVERHEAD + 1))
    for name in "abcdefghij":
        kept(responses, name)
    responses.answer("a", "1")
    kept(responses, "k")
    assert responses.answer("a", "1")
    assert responses.answer("b", "1") is None
    assert responses.bytes == 10 * (OVERHEAD + 1)


def test_a_request_and_a_compressed_form_take_room_too() -> None:
    responses = ResponseCache(10 * (OVERHEAD + 1))
    for name in "abcdefgh":
        kept(responses, name)
    last = kept(responses, "i")
    responses.add_encoded(last, "gzip", b"x" * 500)
    request = (b"POST", b"x" * 600)
    responses.add_request(last, request, REPLY)
    in_memory = sum(map(getsizeof, request))
    assert responses.answer("a", "1") is None
    assert responses.answer("b", "1") is None
    assert responses.bytes == 7 * (OVERHEAD + 1) + 500 + in_memory + OVERHEAD
    assert responses.reply((b"POST", b"x" * 600), "1") is REPLY


def test_the_requests_of_a_forgotten_answer_are_forgotten() -> None:
    responses = ResponseCache(10 * (OVERHEAD + 1))
    responses.add_request(kept(responses, "a"), (b"a",), REPLY)
    for name in "bcdefghijk":
        kept(responses, name)
    assert responses.answer("a", "1") is None
    assert responses.reply((b"a",), "1") is None


def test_an_answer_that_is_too_large_is_given_and_not_kept() -> None:
    responses = ResponseCache(100_000)
    large = kept(responses, "a", 13_000)
    assert large.body == b"x" * 13_000
    responses.add_encoded(large, "gzip", b"x")
    responses.add_request(large, (b"a",), REPLY)
    assert (len(responses), responses.bytes) == (0, 0)
    assert responses.reply((b"a",), "1") is None


def test_nothing_is_kept_without_room() -> None:
    responses = ResponseCache(0)
    responses.add_request(kept(responses, "a"), (b"a",), REPLY)
    assert (len(responses), responses.bytes) == (0, 0)


def test_of_two_that_came_at_the_same_time_one_is_kept() -> None:
    responses = ResponseCache(100_000)
    first = kept(responses, "a")
    assert kept(responses, "a") is first
    assert responses.bytes == OVERHEAD + 1


def test_a_request_of_many_small_headers_takes_what_it_takes_in_memory() -> None:
    """Counted by their letters alone, such requests took ten times the memory that there is for answers."""
    responses = ResponseCache(100_000)
    request = (b"GET", *(bytes([letter]) for letter in range(100)))
    responses.add_request(kept(responses, "a"), request, REPLY)
    assert responses.bytes >= sum(map(getsizeof, request))
