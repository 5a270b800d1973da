"""Settings: the table, the environment, the flags, and one sentence for a wrong one."""

from __future__ import annotations

import pytest

from settings import WrongSetting, read_settings


def test_the_defaults_need_nothing() -> None:
    settings = read_settings()
    assert settings.model_dump() == {"upstream": "embedded", "host": "127.0.0.1", "port": 8000, "workers": 1}


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
        ("HOST", "", 'GATEWAY_HOST is ""; it can be an address of this machine.'),
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
