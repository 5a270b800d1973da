"""Tests the command ``doctor``: it says each fault and what to do about it, and the worst one decides the exit
status."""

from __future__ import annotations

import os
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from catalog.storage.sqlite_storage import Storage
from cli.doctor_checks import (
    CheckFinding,
    Severity,
    check_settings,
    check_storage,
    check_upstream,
    check_versions,
)
from tests.support.command_line import server
from tests.support.http_servers import free_port, serving
from tests.support.made_records import category, package
from tests.support.settings_for_tests import UPSTREAM_URL, settings_for_tests
from upstream.client.in_process_transport import in_process
from upstream.embedded import EmbeddedUpstream, Fault, StatusFault

OK, WARNING, ERROR = Severity


def told(findings: list[CheckFinding]) -> list[tuple[Severity, str]]:
    return [(finding.severity, finding.sentence) for finding in findings]


def stored(path: Path, age: float, origin: str = UPSTREAM_URL) -> None:
    """Store a catalog of this age, in seconds."""
    with closing(Storage(str(path))) as storage:
        storage.save(
            version=f"{origin} whatever",
            refreshed_at=datetime.now(UTC) - timedelta(seconds=age),
            packages=[package(3)],
            grids=[],
            categories=[category(1)],
        )


def test_an_upstream_that_cannot_be_reached_is_an_error() -> None:
    done = server("doctor", "--upstream", f"http://127.0.0.1:{free_port()}/api/v4/")
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("error")]
    assert line == (
        "error    Upstream could not be reached for /packages/. Check GATEWAY_UPSTREAM, the network and whether the "
        "site works in a browser."
    )
    assert (done.returncode, done.stderr) == (2, "")
    assert done.stdout.splitlines()[-1].startswith("Errors: 1. Warnings: ")


def test_a_wrong_setting_is_an_error_like_others() -> None:
    done = server("doctor", GATEWAY_PORT="none")
    assert 'error    GATEWAY_PORT is "none"; it can be 0 to 65535.' in done.stdout
    assert done.returncode == 2


def test_an_upstream_over_the_network_is_sent_one_request() -> None:
    embedded = EmbeddedUpstream(packages=50)
    with serving(embedded) as address:
        done = server("doctor", "--upstream", f"{address}/api/v4/")
    lines = done.stdout.splitlines()
    assert "ok       Upstream answers, and has 50 packages." in lines
    assert "ok       The clock agrees with upstream's." in lines
    assert embedded.requests.by_target == {"/api/v4/packages/?limit=1&offset=0": 1}
    # What is stored nowhere is a warning.
    assert done.returncode == 1


async def test_an_upstream_that_fails_is_told_by_its_answer() -> None:
    embedded = EmbeddedUpstream(packages=5)
    embedded.faults.add(Fault(StatusFault(503)))
    findings = await check_upstream(settings_for_tests(upstream_attempts=3), in_process(embedded))
    assert told(findings) == [(ERROR, "Upstream answered /packages/ with status 503.")]
    assert embedded.requests.total == 1


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        (timedelta(0), [(OK, "The clock agrees with upstream's.")]),
        (timedelta(hours=-2), [(WARNING, "The clock differs from upstream's by +7,2")]),
        (timedelta(hours=2), [(WARNING, "The clock differs from upstream's by -7,")]),
        (None, []),
    ],
)
async def test_the_clock_is_compared_with_the_date_of_the_answer(
    date: timedelta | None, expected: list[tuple[Severity, str]]
) -> None:
    upstream = in_process(EmbeddedUpstream(packages=5))

    class Dated(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            answer = await upstream.handle_async_request(request)
            answer.headers.pop("Date", None)
            if date is not None:
                answer.headers["Date"] = format_datetime(datetime.now(UTC) + date, usegmt=True)
            return answer

    first, *clock = told(await check_upstream(settings_for_tests(), Dated()))
    assert first == (OK, "Upstream answers, and has 5 packages.")
    assert [severity for severity, _ in clock] == [severity for severity, _ in expected]
    assert all(said.startswith(start) for (_, said), (_, start) in zip(clock, expected, strict=True))


@pytest.mark.parametrize(
    ("age", "severity", "sentence"),
    [
        (3600, OK, "The stored catalog is 1.0 hours old."),
        (2 * 86400, WARNING, "The stored catalog is 48.0 hours old."),
        (31 * 86400, ERROR, "The stored catalog is 744.0 hours old, which is too old to be served."),
        (-7200, WARNING, "The stored catalog is 7,200 s newer than the clock, so its age is not known."),
    ],
)
def test_the_age_of_the_stored_catalog_decides(
    tmp_path: Path, age: float, severity: Severity, sentence: str
) -> None:
    path = tmp_path / "catalog.sqlite"
    stored(path, age)
    first, *_disk = told(list(check_storage(settings_for_tests(storage=str(path)))))
    assert first == (severity, sentence)


def test_a_file_of_another_upstream_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    stored(path, 0, "http://other.test/api/v4/")
    ((severity, sentence),) = told(list(check_storage(settings_for_tests(storage=str(path)))))
    assert severity is ERROR
    assert "it has the catalog of another upstream" in sentence


def test_a_file_that_is_not_there_is_fine_and_not_made(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    first, *_disk = told(list(check_storage(settings_for_tests(storage=str(path)))))
    assert first == (OK, "No catalog is stored yet; the first crawl stores one.")
    assert not path.exists()


def test_a_folder_in_place_of_the_file_is_an_error(tmp_path: Path) -> None:
    ((severity, sentence),) = told(list(check_storage(settings_for_tests(storage=str(tmp_path)))))
    assert (severity, sentence) == (
        ERROR,
        f"The catalog file {tmp_path} cannot be used: it is a directory.",
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="The super-user may write everywhere.")
def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite"
    stored(path, 0)
    path.chmod(0o444)
    ((severity, sentence),) = told(list(check_storage(settings_for_tests(storage=str(path)))))
    assert (severity, sentence) == (
        ERROR,
        f"The catalog file {path} cannot be used: it cannot be written by this user.",
    )


def test_dependencies_are_compared_with_the_tested_versions(tmp_path: Path) -> None:
    locked = tmp_path / "run.txt"
    here = httpx.__version__
    locked.write_text(
        f"httpx=={here} \\\n    --hash=sha256:00\nstarlette==0.0.1 \\\nno-such-package==1.0 \\\n"
        "only-on-windows==1 ; sys_platform == 'win32' \\\n"
    )
    python, missing, others = list(check_versions(locked))
    assert python.severity is OK
    assert (missing.severity, missing.sentence) == (ERROR, "Dependencies are missing: no-such-package.")
    assert others.severity is WARNING
    assert others.sentence.startswith("Dependencies have other versions than those tested: starlette ")
    assert others.sentence.endswith(" in place of 0.0.1.")


@pytest.mark.parametrize(
    ("changes", "severity", "sentence"),
    [
        (
            {"upstream": "http://upstream.test/v4/"},
            WARNING,
            "GATEWAY_UPSTREAM does not end with /api/v4/, where Django Packages has its REST API v4.",
        ),
        (
            {"trusted_documents_mode": "only", "trusted_documents": "/no/manifest.json"},
            ERROR,
            "The manifest /no/manifest.json cannot be read: No such file or directory.",
        ),
    ],
)
def test_settings_that_are_seldom_meant_are_told(
    changes: dict[str, Any], severity: Severity, sentence: str
) -> None:
    first, second = told(list(check_settings(settings_for_tests(**changes))))
    assert first == (OK, "The settings can be used.")
    assert second == (severity, sentence)
