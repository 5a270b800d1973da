"""Tells clients what they may still use, in the fields of draft-ietf-httpapi-ratelimit-headers-10.

They are those of one client, so no answer has them that caches may give to others.
"""

from __future__ import annotations

from gateway import FairUse, caller
from web.cache_headers import Headers

RATE_LIMIT_HEADERS = ("RateLimit", "RateLimit-Policy")
"""The fields, for pages of other origins that may read them."""


def rate_limit_headers(fair_use: FairUse | None) -> Headers:
    """Return the fields for the client of this request; none if it has no limit."""
    told = None if fair_use is None else fair_use.allowance(caller.get().client)
    if told is None:
        return []
    return [
        (b"ratelimit-policy", b'"default";q=%d;w=%d' % (told.units, told.window)),
        (b"ratelimit", b'"default";r=%d;t=%d' % (told.remaining, told.seconds)),
    ]
