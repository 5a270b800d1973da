"""An unexpected error has its traceback in the log once a minute, under the id that its clients are told."""

from __future__ import annotations

import logging

import pytest
from graphql import GraphQLError

from gateway import field_error, masked
from gateway.fault_log import MAX_FAULTS, FaultLog


class Broken(Exception):
    """Stands for an error that nobody expected."""


class AlsoBroken(Exception):
    """Stands for another one."""


def broken(error: type[Exception] = Broken) -> Exception:
    """Return an error that was raised here."""
    try:
        raise error("of this request")
    except Exception as raised:
        return raised


def broken_elsewhere() -> Exception:
    """Return an error of the same type that was raised in another place."""
    try:
        raise Broken("of this request")
    except Exception as raised:
        return raised


def lines(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Return what was logged about faults."""
    return [record for record in caplog.records if record.name == "gateway.fault_log"]


class Clock:
    """Holds seconds that a test lets go by."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_error_that_strangers_trigger_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    told = [masked(broken(), "POST /graphql") for _ in range(50)]
    told += [field_error(GraphQLError("x", path=["a", 1], original_error=broken())) for _ in range(50)]
    # The minute can end in between.
    with_tracebacks = [record for record in caplog.records if record.exc_info]
    assert 1 <= len(with_tracebacks) <= 10
    logged = " ".join(record.getMessage() for record in with_tracebacks)
    for entry in told:
        assert entry["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
        assert entry["extensions"]["errorId"] in logged
        assert entry["extensions"]["errorId"] in entry["message"]


def test_errors_of_one_type_and_place_share_a_traceback_and_an_id(caplog: pytest.LogCaptureFixture) -> None:
    log = FaultLog(Clock())
    ids = {log.write_error(broken(), "here") for _ in range(7)}
    assert len(ids) == 1
    (line,) = lines(caplog)
    assert line.exc_info is not None
    assert line.getMessage() == f"error {ids.pop()} at here"


def test_errors_of_other_types_and_other_places_have_their_own(caplog: pytest.LogCaptureFixture) -> None:
    log = FaultLog(Clock())
    ids = [log.write_error(error, "here") for error in (broken(), broken(AlsoBroken), broken_elsewhere())]
    assert len(set(ids)) == 3
    assert [line.getMessage() for line in lines(caplog)] == [f"error {id} at here" for id in ids]


def test_an_error_without_a_traceback_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    log = FaultLog(Clock())
    assert log.write_error(Broken(), "here") == log.write_error(Broken(), "here")
    assert len(lines(caplog)) == 1


def test_the_next_minute_says_how_often_more_and_logs_anew(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    log = FaultLog(clock)
    first, *_ = [log.write_error(broken(), "here") for _ in range(5)]
    log.write_error(broken(AlsoBroken), "here")
    for _ in range(3):
        log.write(logging.WARNING, "The disk is full.")
    clock.now = 59.9
    log.write_error(broken(), "here")
    caplog.clear()
    clock.now = 60
    second = log.write_error(broken(), "there")
    assert second != first
    assert [line.getMessage() for line in lines(caplog)] == [
        f"5 more within a minute: {first}",
        "2 more within a minute: The disk is full.",
        f"error {second} at there",
    ]


def test_a_minute_has_a_bounded_number_of_kinds_and_counts_the_rest(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    log = FaultLog(clock)
    for number in range(MAX_FAULTS + 4):
        log.write(logging.WARNING, f"Fault {number}.")
    assert log.write_error(broken(), "here") is None
    assert len(lines(caplog)) == MAX_FAULTS
    caplog.clear()
    clock.now = 60
    assert log.write_error(broken(), "here") is not None
    assert lines(caplog)[0].getMessage() == "5 faults of other kinds were not logged within a minute."
    assert len(lines(caplog)) == 2
