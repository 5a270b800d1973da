"""Settings: the table, the environment, the flags, and one sentence for a wrong one."""

from __future__ import annotations

import pytest

from catalog.freshness import Freshness
from catalog.sync.schedule import Schedule
from settings import Settings, WrongSetting, read_settings
from upstream.client.retrying_exchange import DEFAULT_CLIENT_LIMITS


def test_the_defaults_need_nothing() -> None:
    settings = read_settings()
    assert (settings.upstream, settings.storage) == ("embedded", ".cache/{upstream}.sqlite")
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8000, 1)


def test_every_setting_says_what_it_means_and_what_is_allowed() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description is not None, name
        assert field.description.endswith("."), name
        assert field.examples is not None, name
        assert len(field.examples) == 1, name


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


def test_parts_that_are_made_without_settings_have_the_defaults_of_the_settings() -> None:
    settings, schedule, freshness = read_settings(), Schedule(), Freshness()
    of_parts = {
        "crawl_interval": schedule.crawl,
        "newest_interval": schedule.newest,
        "fresh": freshness.fresh,
        "stale_while_revalidate": freshness.while_revalidate,
        "stale_if_error": freshness.if_error,
        "upstream_timeout": DEFAULT_CLIENT_LIMITS.exchange,
        "upstream_connect_timeout": DEFAULT_CLIENT_LIMITS.connect,
        "upstream_total_timeout": DEFAULT_CLIENT_LIMITS.total,
        "upstream_attempts": DEFAULT_CLIENT_LIMITS.attempts,
        "upstream_longest_pause": DEFAULT_CLIENT_LIMITS.longest_pause,
        "upstream_longest_retry_after": DEFAULT_CLIENT_LIMITS.longest_retry_after,
        "upstream_answer_bytes": DEFAULT_CLIENT_LIMITS.answer_bytes,
        "upstream_min_in_flight": DEFAULT_CLIENT_LIMITS.lowest_in_flight,
        "upstream_max_in_flight": DEFAULT_CLIENT_LIMITS.highest_in_flight,
        "breaker_failures": DEFAULT_CLIENT_LIMITS.breaker_failures,
        "breaker_rest": DEFAULT_CLIENT_LIMITS.breaker_rest,
    }
    assert of_parts == {name: getattr(settings, name) for name in of_parts}
