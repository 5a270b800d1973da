"""The address of an upstream and the credentials in it: they are taken out before anyone can show or store it."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import unquote, urlsplit


def without_credentials(url: str) -> str:
    """Return the same address without its user and password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def authorization(url: str) -> dict[str, str]:
    """Return the header with the user and password in an address, percent-decoded, for Basic authentication (RFC
    7617); none without."""
    parts = urlsplit(url)
    if parts.username is None:
        return {}
    credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": f"Basic {b64encode(credentials.encode()).decode()}"}
