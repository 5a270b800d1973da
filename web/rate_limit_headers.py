"""Tells clients their remaining allowance, in the fields of draft-ietf-httpapi-ratelimit-headers-10.

They belong to one client, so an answer that caches may give to others does not have them.
"""

from __future__ import annotations

from gateway import FairUse, caller
from web.cache_headers import Headers

RATE_LIMIT_HEADERS = ("RateLimit", "RateLimit-Policy")
"""The names of the fields, which pages of other origins may read."""


def rate_limit_headers(fair_use: FairUse | None) -> Headers:
    """Return the fields for the client of this request; none if it has no limit."""
    told = None if fair_use is None else fair_use.allowance(caller.get().client)
    if told is None:
        return []
    return [
        (b"ratelimit-policy", b'"default";q=%d;w=%d' % (told.units, told.window)),
        (b"ratelimit", b'"default";r=%d;t=%d' % (told.remaining, told.seconds)),
    ]
