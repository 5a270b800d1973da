"""Checks the answers of upstream, and names the error of an exchange that failed.

An answer is checked by status and content type before anyone parses it, because errors are HTML pages whatever
was asked for (contract section 5).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from upstream.client.upstream_errors import (
    UpstreamBadData,
    UpstreamError,
    UpstreamRateLimited,
    UpstreamTimeout,
    UpstreamUnavailable,
)

if TYPE_CHECKING:
    from httpx import Response


def checked_body(
    path: str,
    response: Response,
    body: bytes | bytearray,
    *,
    most_bytes: int,
    longest_retry_after: float,
) -> bytes | None:
    """Return the body of a good answer; ``None`` if it says that there is no such record.

    ``longest_retry_after`` is what the seconds of ``Retry-After`` are cut to, so that one wrong number cannot keep
    the gateway away for days. Everyone who obeys it takes it from the error.

    :raises UpstreamError: it is no good answer.
    """
    status = response.status_code
    content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    is_json = content_type == "application/json"
    if status == 200 and is_json:
        if len(body) > most_bytes:
            raise UpstreamBadData(f"Upstream's answer to /{path} has more than {most_bytes:,} bytes.")
        return bytes(body)
    if status == 404 and is_json:
        return None
    retry_after = _seconds(response.headers.get("Retry-After"), longest_retry_after)
    if status == 429:
        raise UpstreamRateLimited(f"Upstream answered /{path} with status 429.", retry_after=retry_after)
    if status >= 500:
        raise UpstreamUnavailable(
            f"Upstream answered /{path} with status {status}.", retry_after=retry_after, status=status
        )
    if status in (401, 403):
        raise UpstreamBadData(
            f"Upstream refused /{path} with status {status}.",
            remedy="It wants another user and password than GATEWAY_UPSTREAM has.",
        )
    if status in (200, 404):
        raise UpstreamBadData(
            f"Upstream answered /{path} with {status} and {content_type or 'no content type'}, not JSON."
        )
    raise UpstreamBadData(f"Upstream answered /{path} with status {status}.")


def failure(path: str, error: Exception) -> UpstreamError:
    """Return the error that a client of the gateway gets for an exchange without an answer."""
    # The import is here, because a gateway that answers from the catalog alone does not need it.
    import aiohttp
    import httpx

    # The aiohttp transport calls some failed connections "ConnectTimeout"; the cause tells which was one.
    cause = error.__cause__ if isinstance(error.__cause__, aiohttp.ClientError) else error
    if isinstance(cause, (TimeoutError, httpx.TimeoutException)):
        return UpstreamTimeout(f"Upstream did not answer /{path} within its time limit.")
    if isinstance(cause, (aiohttp.ClientPayloadError, httpx.DecodingError)):
        return UpstreamUnavailable(f"Upstream's answer to /{path} broke off.")
    if isinstance(cause, (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError)):
        return UpstreamUnavailable(f"Upstream could not be reached for /{path}.")
    # It was not foreseen, so only its name is shown. Its message may have addresses in it.
    return UpstreamUnavailable(f"Asking upstream for /{path} failed with {type(cause).__name__}.")


def _seconds(retry_after: str | None, longest: float) -> float | None:
    """Return ``Retry-After`` in seconds, from a number or a date; ``None`` if it is neither (RFC 9110, 10.2.3)."""
    if retry_after is None:
        return None
    if retry_after.isascii() and retry_after.isdecimal():
        return min(float(retry_after), longest)
    # The import is here, because hardly any answer has a date there and the module takes a while to import.
    from email.utils import parsedate_to_datetime

    try:
        date = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return min(max(0.0, (date - datetime.now(UTC)).total_seconds()), longest)
