"""Tests the commands of an operator with a Valkey server as storage. None shows its password."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from cli.doctor_checks import Severity, check_storage
from storage_wiring import check_storage as check_before_the_start
from storage_wiring import open_storage
from tests.support.command_line import server
from tests.support.forked_programs import ROOT
from tests.support.made_records import catalog_of, package
from tests.support.settings_for_tests import settings_for_tests
from tests.support.valkey_servers import ValkeyServer, storage_on, valkey_server
from tests.support.versioned_catalogs import ORIGIN, Clock, keep
from upstream.client import StorageUnavailable

ONE = catalog_of(package(1))


def test_a_version_is_pinned_by_an_operator_and_found_by_a_gateway(valkey: ValkeyServer) -> None:
    with storage_on(valkey.url) as gateway:
        keep(gateway, ONE, Clock().moment, origin="embedded")
        done = server("catalog", "pin", ONE.version, GATEWAY_STORAGE=valkey.url)
        assert (done.returncode, done.stderr) == (0, "")
        gateway.saved()
        pinned = gateway.history.pinned()
        assert pinned is not None
        assert pinned.version == ONE.version


def test_a_command_with_a_wrong_password_says_so_without_it() -> None:
    with valkey_server("--requirepass", "right") as wrong:
        done = server("catalog", GATEWAY_STORAGE=wrong.url.replace("//", "//ada:wrongsecret@"))
    reason = "the server refuses the user or the password, or wants one"
    assert done.stderr == f"The storage {wrong.url} cannot be used: {reason}.\n"
    assert done.returncode != 0


def test_a_start_without_the_client_library_says_how_to_install_it() -> None:
    # This acts as if it were not installed.
    program = "import sys; sys.modules['redis'] = None; from cli.commands import cli; cli()"
    done = subprocess.run(
        [sys.executable, "-c", program, "serve"],
        cwd=ROOT,
        env=os.environ | {"GATEWAY_STORAGE": "valkey://ada:secret@127.0.0.1:1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    reason = "the package redis is not installed; `make valkey` installs it"
    assert done.stderr == f"The storage valkey://127.0.0.1:1/0 cannot be used: {reason}.\n"
    assert done.returncode != 0


def test_a_start_is_refused_for_another_upstream_alone(valkey: ValkeyServer) -> None:
    with storage_on(valkey.url) as storage:
        keep(storage, ONE, Clock().moment)
    check_before_the_start(settings_for_tests(storage=valkey.url))
    with pytest.raises(StorageUnavailable, match="it has the catalog of another upstream"):
        check_before_the_start(settings_for_tests(storage=valkey.url, upstream="https://other.test/"))
    check_before_the_start(settings_for_tests(storage="valkey://127.0.0.1:1"))


def test_a_command_finds_what_a_gateway_has_stored(valkey: ValkeyServer) -> None:
    with storage_on(valkey.url) as gateway:
        keep(gateway, ONE, Clock().moment)
        with open_storage(settings_for_tests(storage=valkey.url)) as storage:
            assert [each.version for each in storage.history.versions(limit=9)] == [ONE.version]


def test_the_doctor_looks_at_the_server(valkey: ValkeyServer) -> None:
    settings = settings_for_tests(storage=valkey.url)
    (empty,) = check_storage(settings)
    assert (empty.severity, empty.sentence) == (
        Severity.OK,
        "The server has no catalog yet; the first crawl stores one.",
    )
    with storage_on(valkey.url) as storage:
        keep(storage, ONE, Clock().moment, origin=ORIGIN)
    (old,) = check_storage(settings)
    assert old.sentence.startswith("The stored catalog is ")
    (away,) = check_storage(settings_for_tests(storage="valkey://ada:secret@127.0.0.1:1"))
    assert away.severity is Severity.ERROR
    assert away.sentence.startswith(
        "The storage valkey://127.0.0.1:1/0 cannot be used: the server cannot be reached ("
    )
    assert "secret" not in f"{away}"
