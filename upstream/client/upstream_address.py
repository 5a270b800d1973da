"""The address of an upstream and the credentials in it: they are taken out before anyone can show or store it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    import httpx


def without_credentials(url: str) -> str:
    """Return the same address without its user and password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def credentials(url: str) -> httpx.BasicAuth | None:
    """Return the user and password in an address, percent-decoded, for Basic authentication (RFC 7617); None
    without."""
    # The command line takes addresses too, and is not to wait for this.
    import httpx

    parts = urlsplit(url)
    if parts.username is None:
        return None
    return httpx.BasicAuth(unquote(parts.username), unquote(parts.password or ""))
