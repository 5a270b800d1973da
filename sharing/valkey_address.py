"""Reads the address of a Valkey or Redis server, and never shows its user and password."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

SCHEMES = {"valkey": False, "redis": False, "valkeys": True, "rediss": True}
"""Each scheme of such an address, and whether the connection is encrypted (TLS)."""

PORT = 6379


def is_valkey(storage: str) -> bool:
    """Return whether this names a server, and not a file."""
    return storage.partition("://")[0] in SCHEMES and "://" in storage


@dataclass(frozen=True, slots=True)
class ValkeyAddress:
    """Holds the parts of an address. ``str()`` of it shows neither user nor password."""

    scheme: str
    host: str
    port: int
    database: int
    user: str | None = field(repr=False)
    password: str | None = field(repr=False)

    @classmethod
    def of(cls, url: str) -> ValkeyAddress:
        """Return the address that a checked setting has, with its user and password percent-decoded."""
        parts = urlsplit(url)
        return cls(
            parts.scheme,
            parts.hostname or "",
            parts.port or PORT,
            int(parts.path.strip("/") or 0),
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None,
        )

    @property
    def is_encrypted(self) -> bool:
        """Return whether the connection uses TLS."""
        return SCHEMES[self.scheme]

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}/{self.database}"
