"""Takes the credentials out of the address of an upstream, before anyone can show or store it."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import unquote, urlsplit


def without_credentials(url: str) -> str:
    """Return the same address without its user and password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def authorization(url: str) -> dict[str, str]:
    """Return the header for Basic authentication (RFC 7617) with the user and password in an address,
    percent-decoded; nothing if it has none."""
    parts = urlsplit(url)
    if parts.username is None:
        return {}
    credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": f"Basic {b64encode(credentials.encode()).decode()}"}
