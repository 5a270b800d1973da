"""Tests what commands say of settings that are misspelt, or an upstream that may be another address."""

from __future__ import annotations

import json

import pytest

from tests.support.command_line import server
from tests.support.http_servers import free_port


@pytest.mark.parametrize(
    ("variable", "nearest"),
    [
        ("GATEWAY_LIMIT_DEPHT", "GATEWAY_LIMIT_DEPTH"),
        ("gateway_limt_depth", "GATEWAY_LIMIT_DEPTH"),
        ("GATEWAY_UPSTREAM_URL", "GATEWAY_UPSTREAM"),
        ("GATEWAY_WORKER", "GATEWAY_WORKERS"),
    ],
)
def test_a_misspelt_setting_stops_the_start_with_the_nearest_name(variable: str, nearest: str) -> None:
    done = server("query", "{ __typename }", **{variable: "1"})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"There is no setting {variable}; the nearest is {nearest}.\n"


def test_an_upstream_at_another_path_is_told_and_not_refused() -> None:
    address = f"http://user:secret@127.0.0.1:{free_port()}/"
    done = server("query", "{ __typename }", "--upstream", address)
    assert (done.returncode, json.loads(done.stdout)) == (0, {"data": {"__typename": "Query"}})
    shown = address.replace("user:secret@", "")
    assert done.stderr == (
        f"The upstream {shown} does not end with /api/v4/, where Django Packages has its REST API v4.\n"
    )
