"""Gives the tests a Valkey server."""

from __future__ import annotations

from tests.support.valkey_servers import running_valkey, valkey

__all__ = ["running_valkey", "valkey"]
