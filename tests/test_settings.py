"""Tests settings: the table, the environment, the flags, and one sentence for a wrong one."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields
from importlib import import_module
from typing import Any

import pytest

import setting_groups
import wiring
from settings import ROWS, Settings, WrongSetting, read_settings
from tests.support.settings_for_tests import SETTINGS
from unknown_settings import misspelt

GROUPS = [
    setting_groups.client_limits,
    setting_groups.schedule,
    setting_groups.freshness,
    setting_groups.document_limits,
    setting_groups.run_limits,
    setting_groups.admission_limits,
    setting_groups.connection_limits,
]


def test_the_defaults_need_nothing() -> None:
    settings = read_settings()
    assert (settings.upstream, settings.storage) == ("embedded", ".cache/{upstream}.sqlite")
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8000, 1)


def test_every_setting_says_what_it_means_and_what_is_allowed() -> None:
    for name, row in ROWS.items():
        assert row.description.endswith("."), name
        assert row.allowed, name


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "fresh",
            90_000,
            'GATEWAY_FRESH is "90000"; it can be at most GATEWAY_STALE_WHILE_REVALIDATE, 86400.',
        ),
        (
            "upstream_max_in_flight",
            2,
            'GATEWAY_UPSTREAM_MIN_IN_FLIGHT is "4"; it can be at most GATEWAY_UPSTREAM_MAX_IN_FLIGHT, 2.',
        ),
        (
            "limit_unsent_bytes",
            9_999_999,
            'GATEWAY_LIMIT_ANSWER_BYTES is "10000000"; it can be at most GATEWAY_LIMIT_UNSENT_BYTES, 9999999.',
        ),
    ],
)
def test_settings_that_contradict_each_other_are_one_sentence(name: str, value: int, sentence: str) -> None:
    with pytest.raises(WrongSetting) as caught:
        read_settings(**{"upstream_min_in_flight": 4, name: value})
    assert str(caught.value) == sentence


def test_the_environment_is_read_and_flags_override_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_PORT", "9000")
    monkeypatch.setenv("GATEWAY_HOST", "0.0.0.0")
    settings = read_settings(port=9001, host=None)
    assert (settings.host, settings.port) == ("0.0.0.0", 9001)


@pytest.mark.parametrize(
    ("variable", "value", "name", "read"),
    [
        ("GATEWAY_PORT", " 9000\r", "port", 9000),
        ("gateway_port", "9000", "port", 9000),
        ("GATEWAY_SLOW", "3", "slow", 3.0),
        ("GATEWAY_SLOW", " 2.5", "slow", 2.5),
    ],
)
def test_a_number_is_read_whatever_blanks_stand_around_it(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, name: str, read: float
) -> None:
    monkeypatch.setenv(variable, value)
    found = getattr(read_settings(), name)
    assert (found, type(found)) == (read, type(read))


def test_a_flag_that_is_no_setting_is_an_error() -> None:
    with pytest.raises(KeyError, match="prot"):
        read_settings(prot=9000)


@pytest.mark.parametrize(
    "url",
    [
        "https://djangopackages.org/api/v4/",
        "https://djangopackages.org/api/v4",
        "http://127.0.0.1:8801/api/v4/",
    ],
)
def test_an_upstream_address_ends_in_one_slash(url: str) -> None:
    assert read_settings(upstream=url).upstream == url.rstrip("/") + "/"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "http", 'GATEWAY_PORT is "http"; it can be 0 to 65535.'),
        ("PORT", "65536", 'GATEWAY_PORT is "65536"; it can be 0 to 65535.'),
        ("WORKERS", "0", 'GATEWAY_WORKERS is "0"; it can be 1 to 64.'),
        ("CRAWL", "yes", 'GATEWAY_CRAWL is "yes"; it can be `on` or `off`.'),
        ("FRESH", "nan", 'GATEWAY_FRESH is "nan"; it can be up to 31536000.'),
        ("FRESH", "inf", 'GATEWAY_FRESH is "inf"; it can be up to 31536000.'),
        ("FRESH", "", 'GATEWAY_FRESH is ""; it can be up to 31536000.'),
        ("PORT", "8_000", 'GATEWAY_PORT is "8_000"; it can be 0 to 65535.'),
        ("PORT", "8000.5", 'GATEWAY_PORT is "8000.5"; it can be 0 to 65535.'),
        ("UPSTREAM_ATTEMPTS", "0", 'GATEWAY_UPSTREAM_ATTEMPTS is "0"; it can be 1 to 10.'),
        ("HOST", "", 'GATEWAY_HOST is ""; it can be an address of this machine.'),
        ("LIMIT_ENTITIES", "0", 'GATEWAY_LIMIT_ENTITIES is "0"; it can be 1 to 10000.'),
        *(
            (
                "ROUTER_SECRET",
                wrong,
                "GATEWAY_ROUTER_SECRET cannot be used; it can be 16 to 500 visible ASCII characters, or empty.",
            )
            for wrong in ("short", "has blanks between its words", "sécret-of-the-router", "x" * 501)
        ),
    ],
)
def test_a_wrong_setting_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(f"GATEWAY_{name}", value)
    with pytest.raises(WrongSetting) as caught:
        read_settings()
    assert str(caught.value) == sentence


@pytest.mark.parametrize("url", ["", "ftp://x/", "http://", "http://[", "http://x:99999/", "http://x/?a=b"])
def test_a_wrong_upstream_is_one_sentence(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("GATEWAY_UPSTREAM", url)
    with pytest.raises(WrongSetting) as caught:
        read_settings()
    assert str(caught.value) == (
        f'GATEWAY_UPSTREAM is "{url}"; it can be an http or https URL, or `embedded`.'
    )


@pytest.mark.parametrize("origin", ["https://a:99999", "https://a:0", "https://user@a", "https://a/", "null"])
def test_a_wrong_origin_is_one_sentence(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    monkeypatch.setenv("GATEWAY_CORS_ORIGINS", f"https://right.example:8443,{origin}")
    with pytest.raises(WrongSetting) as caught:
        read_settings()
    assert str(caught.value) == (
        f'GATEWAY_CORS_ORIGINS is "https://right.example:8443,{origin}"; it can be `*`, or origins such as '
        "`https://example.org` with commas between them."
    )


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.__name__)
def test_no_group_of_settings_has_a_default_of_its_own(group: Callable[[Settings], Any]) -> None:
    found = fields(group(SETTINGS))
    assert found
    assert [field.name for field in found if not (field.default is field.default_factory is MISSING)] == []


def calls_with_settings() -> Iterator[tuple[inspect.Parameter, str]]:
    """Yield each parameter of a part that is given a setting, and the name of that."""
    for module in (wiring, setting_groups):
        tree = ast.parse(inspect.getsource(module))
        parts = {
            alias.name: getattr(import_module(node.module), alias.name)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module
            for alias in node.names
        }
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in parts:
                parameters = inspect.signature(parts[call.func.id]).parameters
                given = dict(zip(parameters, call.args, strict=False))
                given |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
                for parameter, argument in given.items():
                    for name in settings_in(argument):
                        yield parameters[parameter], name


def settings_in(argument: ast.expr) -> set[str]:
    """Return the names of the settings that an argument is made of."""
    return {
        node.attr
        for node in ast.walk(argument)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "settings"
    }


def test_each_default_stands_once() -> None:
    calls = list(calls_with_settings())
    # Some more are read where they decide something, and those of the server itself by the command line.
    assert len({name for _, name in calls}) > 45
    twice = [(str(parameter), name) for parameter, name in calls if parameter.default == ROWS[name].default]
    assert twice == []


@pytest.mark.parametrize(
    "variable",
    [
        "GATEWAY_SERVICE_HOST",
        "GATEWAY_PORT_8000_TCP_PORT",
        "GATEWAY_TESTS_NEED_ALL",
        "gateway_port",
        "GATE_PORTS",
    ],
)
def test_other_variables_with_the_prefix_are_another_programs(variable: str) -> None:
    assert misspelt([variable], ROWS) is None


def test_no_setting_looks_like_a_misspelt_other() -> None:
    variables = [f"GATEWAY_{name.upper()}" for name in ROWS]
    assert misspelt(variables, ROWS) is None
