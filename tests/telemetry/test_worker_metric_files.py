"""What several workers measured is added up, whichever of them have ended, and nothing is counted twice."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from telemetry import MetricFamily, WorkerMetricFiles, counter, folder_for_workers, gauge

ALIVE = [os.getpid()]


def measured(count: int, *, open_: int = 0, age: int = 0) -> list[MetricFamily]:
    return [
        counter("asked_total", "Requests.", {("GET",): count}, "method"),
        gauge("open", "Connections.", open_),
        gauge("age_seconds", "Age.", age, across="max"),
        gauge("memory_bytes", "Memory.", 7, across="each"),
    ]


def read(files: WorkerMetricFiles) -> dict[str, list[float]]:
    return {family.name: [sample.value for sample in family.samples] for family in files.read()}


@pytest.fixture
def workers(tmp_path: Path) -> list[WorkerMetricFiles]:
    """Return what two workers write with."""
    return [WorkerMetricFiles(tmp_path), WorkerMetricFiles(tmp_path)]


def test_counters_are_added_and_gauges_are_as_their_families_say(workers: list[WorkerMetricFiles]) -> None:
    for worker, count in zip(workers, (3, 4), strict=True):
        worker.write(measured(count, open_=count, age=10 * count))
    assert read(workers[0]) == {
        "asked_total": [7],
        "open": [7],
        "age_seconds": [40],
        # Both are written by this process.
        "memory_bytes": [14],
    }


def test_a_worker_that_has_ended_stays_in_the_counters_alone(
    workers: list[WorkerMetricFiles], tmp_path: Path
) -> None:
    ended, lives = workers
    ended.write(measured(3, open_=3))
    first_process = WorkerMetricFiles(tmp_path)
    first_process.settle([], died=1)
    lives.write(measured(4, open_=4))
    for _ in range(3):
        first_process.settle(ALIVE, died=0)
    assert read(lives) == {
        "asked_total": [7],
        "open": [4],
        "age_seconds": [0],
        "memory_bytes": [7],
        "gateway_worker_deaths_total": [1],
    }
    lives.write(measured(5))
    first_process.settle([], died=2)
    assert read(first_process) == {"asked_total": [8], "gateway_worker_deaths_total": [3]}


def test_a_file_that_was_added_up_and_is_still_there_is_not_counted_twice(
    workers: list[WorkerMetricFiles], tmp_path: Path
) -> None:
    workers[0].write(measured(3))
    (path,) = tmp_path.glob("*.worker")
    content = path.read_bytes()
    WorkerMetricFiles(tmp_path).settle([], died=0)
    assert not path.exists()
    # So it is for whoever has listed the folder before it was removed.
    path.write_bytes(content)
    assert read(workers[1])["asked_total"] == [3]


def test_what_a_worker_wrote_half_is_left_out_and_removed(
    workers: list[WorkerMetricFiles], tmp_path: Path
) -> None:
    workers[0].write(measured(3))
    part = tmp_path / "1-1.part"
    part.write_bytes(b"half")
    assert read(workers[1])["asked_total"] == [3]
    WorkerMetricFiles(tmp_path).settle(ALIVE, died=0)
    assert not part.exists()
    assert read(workers[1])["asked_total"] == [3]


def test_a_folder_belongs_to_one_start_of_the_server() -> None:
    assert WorkerMetricFiles.of_this_server() is None
    with folder_for_workers() as first_process:
        worker = WorkerMetricFiles.of_this_server()
        assert worker is not None
        worker.write(measured(1))
        assert read(first_process)["asked_total"] == [1]
    with folder_for_workers() as another:
        assert read(another) == {}
    assert WorkerMetricFiles.of_this_server() is None
