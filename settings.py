"""The settings: one table of name, default and meaning.

Each is an environment variable with the prefix ``GATEWAY_``; flags of the command line override them.
"""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

EMBEDDED = "embedded"


class WrongSetting(Exception):
    """A setting that cannot be used. The message is one sentence: its name, its value, what is allowed."""


def _upstream(value: str) -> str:
    if value == EMBEDDED:
        return value
    try:
        url = urlsplit(value)
        usable = url.scheme in ("http", "https") and bool(url.hostname) and not (url.query or url.fragment)
        usable = usable and url.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError
    return value.rstrip("/") + "/"


class Settings(BaseSettings):
    """All settings, checked. ``description`` is the meaning, ``examples`` says what is allowed."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", frozen=True)

    upstream: Annotated[str, AfterValidator(_upstream)] = Field(
        default=EMBEDDED,
        description="The REST API v4 to ask: the address of its root, or the copy embedded in the gateway.",
        examples=["an http or https URL, or `embedded`"],
    )
    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="The address to listen on; 0.0.0.0 is all of them.",
        examples=["an address of this machine"],
    )
    port: int = Field(
        default=8000,
        ge=0,
        le=65535,
        description="The port to listen on; 0 takes a free one.",
        examples=["0 to 65535"],
    )
    workers: int = Field(
        default=1, ge=1, le=64, description="How many processes answer requests.", examples=["1 to 64"]
    )


def read_settings(**flags: Any) -> Settings:  # noqa: ANN401 - pydantic checks their types
    """The settings from the environment, and from the flags that are not ``None``.

    :raises WrongSetting: one of them cannot be used.
    """
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        wrong = error.errors()[0]
        name = str(wrong["loc"][0])
        (allowed,) = Settings.model_fields[name].examples or [""]
        raise WrongSetting(f'GATEWAY_{name.upper()} is "{wrong["input"]}"; it can be {allowed}.') from None
