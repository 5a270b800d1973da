"""Tests which addresses of a Valkey server are allowed, and that user and password are shown nowhere."""

from __future__ import annotations

import pytest

from settings import WrongSetting, read_settings
from sharing.valkey_address import ValkeyAddress, is_valkey

ALLOWED = (
    "it can be a path, `:memory:`, or an address such as `valkey://host:6379/0` "
    "(or `valkeys`, `redis`, `rediss`)."
)


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("valkey://example.com", ("example.com", 6379, 0, None, None, False)),
        ("redis://example.com:7000/3", ("example.com", 7000, 3, None, None, False)),
        ("valkeys://ada:p%40ss@example.com/1", ("example.com", 6379, 1, "ada", "p@ss", True)),
        ("rediss://:secret@[::1]:6380/", ("::1", 6380, 0, None, "secret", True)),
    ],
)
def test_an_address_has_these_parts(url: str, parts: tuple[object, ...]) -> None:
    settings = read_settings(storage=url)
    assert is_valkey(settings.storage)
    address = ValkeyAddress.of(settings.storage)
    found = (
        address.host,
        address.port,
        address.database,
        address.user,
        address.password,
        address.is_encrypted,
    )
    assert found == parts


@pytest.mark.parametrize(
    "path", [":memory:", ".cache/{upstream}.sqlite", "a/b:c.sqlite", "valkey.sqlite", "c:x"]
)
def test_a_path_is_no_address(path: str) -> None:
    assert not is_valkey(read_settings(storage=path).storage)


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://example.com/0",
        "valky://example.com",
        "valkey:/example.com",
        "valkey:example.com",
        "valkey://",
        "valkey://example.com:0",
        "valkey://example.com:99999",
        "valkey://example.com/one",
        "valkey://example.com/0?timeout=3",
        "valkey://exam ple.com",
        "sqlite:///catalog.sqlite",
    ],
)
def test_an_address_that_cannot_be_used_stops_the_start_with_a_sentence(url: str) -> None:
    with pytest.raises(WrongSetting) as wrong:
        read_settings(storage=url)
    assert str(wrong.value) == f'GATEWAY_STORAGE is "{url}"; {ALLOWED}'


@pytest.mark.parametrize("url", ["mongodb://ada:secret@example.com", "valkey://ada:se/cr@et@example.com:0"])
def test_a_wrong_address_is_told_without_its_user_and_password(url: str) -> None:
    with pytest.raises(WrongSetting) as wrong:
        read_settings(storage=url)
    assert "ada" not in str(wrong.value)
    assert "secret" not in str(wrong.value)
    assert "se/cr" not in str(wrong.value)


def test_no_text_of_an_address_or_of_the_settings_has_its_user_and_password() -> None:
    settings = read_settings(storage="valkey://adalovelace:secret@[::1]:7000/2")
    address = ValkeyAddress.of(settings.storage)
    assert str(address) == "valkey://[::1]:7000/2"
    for text in (repr(address), repr(settings), str(settings)):
        assert "adalovelace" not in text
        assert "secret" not in text.replace("router_secret", "")
