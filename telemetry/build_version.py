"""Tells the version of the gateway, which is written only in ``pyproject.toml``."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_PROJECT = Path(__file__).parents[1] / "pyproject.toml"


@cache
def gateway_version() -> str:
    """Return the version."""
    # The import is here, because hardly any start needs it.
    import tomllib

    version: str = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]["version"]
    return version
