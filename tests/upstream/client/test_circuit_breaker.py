"""Tests the circuit breaker: when requests go out, when they are kept back, and what whoever asked is told."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.circuit_breakers import (
    FAILURES,
    LONGEST,
    REST,
    Clock,
    fail,
    half_open,
    kept_back,
    state,
)
from upstream.client.circuit_breaker import PROBE_SECONDS, Breaker
from upstream.client.upstream_errors import UpstreamUnavailable


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(FAILURES, REST, LONGEST, clock)


def test_any_number_of_requests_go_out_while_it_is_closed(breaker: Breaker) -> None:
    assert state(breaker) == "closed"
    breaker.check()
    assert [breaker.admit() for _ in range(100)] == [False] * 100


def test_it_opens_after_so_many_failures_in_a_row(breaker: Breaker) -> None:
    together = [breaker.admit() for _ in range(FAILURES)]
    for probe in together[1:]:
        breaker.failed(probe, None)
    assert state(breaker) == "closed"
    breaker.failed(together[0], None)
    assert state(breaker) == "open"
    assert kept_back(breaker).left == REST


def test_unless_told_otherwise_it_probes_every_15_seconds_in_the_end(clock: Clock) -> None:
    breaker = Breaker(FAILURES, REST, clock=clock)
    fail(breaker, FAILURES)
    rests = []
    for _ in range(5):
        rests.append(kept_back(breaker).left)
        clock.pass_by(rests[-1])
        fail(breaker, 1)
    assert rests == [5, 10, 15, 15, 15]


def test_a_success_resets_the_count(breaker: Breaker) -> None:
    fail(breaker, FAILURES - 1)
    breaker.succeeded(breaker.admit())
    fail(breaker, FAILURES - 1)
    assert state(breaker) == "closed"
    fail(breaker, 1)
    assert state(breaker) == "open"


def test_a_request_that_is_given_up_says_nothing(breaker: Breaker) -> None:
    fail(breaker, FAILURES - 1)
    breaker.given_up(breaker.admit())
    assert state(breaker) == "closed"
    fail(breaker, 1)
    assert state(breaker) == "open"


def test_it_stays_open_until_its_rest_is_over(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, FAILURES)
    clock.pass_by(REST - 0.5)
    assert state(breaker) == "open"
    assert kept_back(breaker).left == 0.5
    clock.pass_by(0.5)
    assert state(breaker) == "half-open"
    breaker.check()


def test_one_probe_goes_out_at_a_time(breaker: Breaker, clock: Clock) -> None:
    half_open(breaker, clock)
    breaker.check()  # takes no place
    assert breaker.admit() is True
    clock.pass_by(100)
    assert state(breaker) == "half-open"
    assert kept_back(breaker).left == PROBE_SECONDS


def test_an_answered_probe_closes_it_and_all_counts_begin_anew(breaker: Breaker, clock: Clock) -> None:
    half_open(breaker, clock)
    breaker.failed(breaker.admit(), None)
    clock.pass_by(2 * REST)
    breaker.succeeded(breaker.admit())
    assert state(breaker) == "closed"
    fail(breaker, FAILURES - 1)
    assert state(breaker) == "closed"
    fail(breaker, 1)
    assert kept_back(breaker).left == REST


def test_each_failed_probe_doubles_the_rest_up_to_the_longest(breaker: Breaker, clock: Clock) -> None:
    half_open(breaker, clock)
    for rest in [2 * REST, 4 * REST, LONGEST, LONGEST, LONGEST]:
        breaker.failed(breaker.admit(), None)
        assert state(breaker) == "open"
        assert kept_back(breaker).left == rest
        clock.pass_by(rest)
        assert state(breaker) == "half-open"


def test_a_probe_that_is_given_up_leaves_its_place_to_another(breaker: Breaker, clock: Clock) -> None:
    half_open(breaker, clock)
    breaker.given_up(breaker.admit())
    assert state(breaker) == "half-open"
    another = breaker.admit()
    assert another is True
    assert kept_back(breaker).left == PROBE_SECONDS
    breaker.failed(another, None)
    assert kept_back(breaker).left == 2 * REST, "one probe has failed, not two"


@pytest.mark.parametrize("asked", [1.0, 20.0, LONGEST, 300.0])
def test_retry_after_opens_it_for_that_long(breaker: Breaker, clock: Clock, asked: float) -> None:
    fail(breaker, 1, retry_after=asked)
    assert state(breaker) == "open"
    assert kept_back(breaker).left == asked
    clock.pass_by(asked)
    assert state(breaker) == "half-open"
    breaker.succeeded(breaker.admit())
    assert state(breaker) == "closed"


def test_retry_after_of_no_seconds_asks_for_a_probe(breaker: Breaker) -> None:
    fail(breaker, 1, retry_after=0.0)
    assert state(breaker) == "half-open"
    assert breaker.admit() is True


@pytest.mark.parametrize("asked", [1.0, 30.0])
def test_a_probe_that_is_told_retry_after_opens_it_for_that_long(
    breaker: Breaker, clock: Clock, asked: float
) -> None:
    half_open(breaker, clock)
    breaker.failed(breaker.admit(), asked)
    assert kept_back(breaker).left == asked
    clock.pass_by(asked)
    assert breaker.admit() is True, "the place of the probe is free again"
    breaker.failed(True, None)
    why = kept_back(breaker)
    assert (why.left, why.asked_for) == (2 * REST, False), (
        "doubled once: by this failure, not by what was asked"
    )


@pytest.mark.parametrize("asked", [(10.0, 20.0), (20.0, 10.0)])
def test_of_two_retry_after_the_one_that_ends_later_holds(
    breaker: Breaker, asked: tuple[float, float]
) -> None:
    for probe, seconds in zip([breaker.admit(), breaker.admit()], asked, strict=True):
        breaker.failed(probe, seconds)
    assert kept_back(breaker).left == 20


def test_retry_after_does_not_shorten_a_rest(breaker: Breaker) -> None:
    late = [breaker.admit() for _ in range(2)]
    fail(breaker, FAILURES)
    for asked, left, asked_for in [(REST - 1, REST, False), (REST + 1, REST + 1, True)]:
        breaker.failed(late.pop(), asked)
        why = kept_back(breaker)
        assert (why.left, why.asked_for) == (left, asked_for)


@pytest.mark.parametrize("rested", [0.0, REST])
def test_a_late_answer_does_not_close_it(breaker: Breaker, clock: Clock, rested: float) -> None:
    late = breaker.admit()
    fail(breaker, FAILURES)
    clock.pass_by(rested)
    before = state(breaker)
    breaker.succeeded(late)
    assert state(breaker) == before != "closed"


def test_late_outcomes_do_not_free_the_place_of_the_probe(breaker: Breaker, clock: Clock) -> None:
    late = [breaker.admit() for _ in range(3)]
    half_open(breaker, clock)
    probe = breaker.admit()
    breaker.succeeded(late[0])
    breaker.failed(late[1], None)
    breaker.given_up(late[2])
    assert kept_back(breaker).left == PROBE_SECONDS
    breaker.succeeded(probe)
    assert state(breaker) == "closed"


def test_late_failures_do_not_lengthen_the_rest(breaker: Breaker, clock: Clock) -> None:
    late = [breaker.admit() for _ in range(2 * FAILURES)]
    fail(breaker, FAILURES)
    clock.pass_by(1)
    for probe in late:
        breaker.failed(probe, None)
    assert kept_back(breaker).left == REST - 1


@pytest.mark.parametrize(
    ("retry_after", "sentence"),
    [
        (None, "Upstream has failed too often, so it gets no requests for now."),
        (REST, "Upstream asked for a pause, so it gets no requests for now."),
    ],
)
def test_whoever_is_kept_back_is_told_why_and_for_how_long(
    breaker: Breaker, clock: Clock, retry_after: float | None, sentence: str
) -> None:
    asked_for = retry_after is not None
    fail(breaker, 1 if asked_for else FAILURES, retry_after)
    clock.pass_by(1)
    why = kept_back(breaker)
    assert isinstance(why, UpstreamUnavailable)
    assert (str(why), why.retry_after, why.asked_for, why.probing) == (sentence, REST - 1, asked_for, False)
    clock.pass_by(REST - 1)
    breaker.admit()
    why = kept_back(breaker)
    assert str(why) == "Upstream failed before, and one request is probing it now."
    assert (why.retry_after, why.asked_for, why.probing) == (PROBE_SECONDS, asked_for, True)


EVENTS = ["admit", "succeed", "fail", "be told to wait", "give up", "time passes"]


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 50)), max_size=60))
def test_there_is_one_probe_at_most_and_always_another_in_time(events: list[tuple[str, int]]) -> None:
    clock = Clock()
    breaker = Breaker(FAILURES, REST, LONGEST, clock)
    out: list[bool] = []
    for event, number in events:
        if event == "time passes":
            clock.pass_by(number)
        elif event == "admit":
            if state(breaker) == "closed" or (state(breaker) == "half-open" and True not in out):
                out.append(breaker.admit())
                assert out[-1] is (state(breaker) == "half-open")
            else:
                assert kept_back(breaker).left > 0
        elif out:
            probe = out.pop(number % len(out))
            if event == "succeed":
                breaker.succeeded(probe)
            elif event == "give up":
                breaker.given_up(probe)
            else:
                breaker.failed(probe, float(number) if event == "be told to wait" else None)
    for probe in out:
        breaker.given_up(probe)
    clock.pass_by(max(LONGEST, 50))  # no rest is longer, and nothing longer was asked for
    breaker.succeeded(breaker.admit())
    assert state(breaker) == "closed"


def test_each_change_of_state_is_logged_once(
    breaker: Breaker, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "upstream.client.circuit_breaker"):
        half_open(breaker, clock)
        breaker.failed(False, None)  # one that went out before it opened
        breaker.failed(breaker.admit(), None)
        clock.pass_by(2 * REST)
        breaker.succeeded(breaker.admit())
        breaker.succeeded(breaker.admit())
    told = [(record.levelno, record.getMessage().split(":")[0]) for record in caplog.records]
    assert told == [
        (logging.INFO, "The circuit breaker is open"),
        (logging.INFO, "The circuit breaker is half-open"),
        (logging.INFO, "The circuit breaker is open"),
        (logging.INFO, "The circuit breaker is half-open"),
        (logging.INFO, "The circuit breaker is closed"),
    ]
    fields = {"seconds": REST, "asked_for": False, "failures": FAILURES}
    assert vars(caplog.records[0])["fields"] == fields
