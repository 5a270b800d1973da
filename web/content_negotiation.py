"""Reads what a client takes from the header Accept (RFC 9110, 12.5.1; GraphQL over HTTP, edition of September 2026,
5.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

GRAPHQL_JSON = "application/graphql-response+json"
"""The media type that says that the body is a GraphQL response, whatever the status."""

JSON = "application/json"
EVENTS = "text/event-stream"
PARTS = "multipart/mixed"
_PAGE = "text/html"
_WILDCARDS = ("application/*", "*/*")
_OTHER_PARTS = re.compile("deferspec|subscriptionspec", re.IGNORECASE)
"""Parameters of clients that read parts in another form: an older one, or that of subscriptions."""

ANSWERS = f"{GRAPHQL_JSON}, {JSON}, {EVENTS} or, for @defer and @stream, {PARTS}"
"""The media types on offer, in words."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """Says which of the offered types a client takes."""

    json: str | None
    """The media type for an answer in JSON; None if it takes none."""
    refusal: str
    """The media type for an answer with a status of 400 or more. A client that takes plain JSON alone may get it
    from any server in between, so the gateway's own says that it is GraphQL (section 5.1)."""
    events: bool
    """Whether it takes a stream of events, and says so: a wildcard does not mean that."""
    page: bool
    """Whether it asks for a page to read before any answer in JSON, as browsers do."""
    parts: bool
    """Whether it takes an answer in parts, for ``@defer`` and ``@stream``."""


@lru_cache(maxsize=256)
def accepted(header: str | None) -> Accepted:
    """Return what a client that sends this header takes; without a header, plain JSON."""
    if header is None or not header.strip():
        return Accepted(JSON, JSON, events=False, page=False, parts=False)
    weights = weighted(header)
    any_of_them = next((weights[each] for each in _WILDCARDS if each in weights), 0.0)
    plain = weights.get(JSON, any_of_them)
    # A wildcard means plain JSON, unless the client takes anything but that.
    telling = weights.get(GRAPHQL_JSON, 0.0 if plain else any_of_them)
    json = JSON if plain > telling else GRAPHQL_JSON if telling else None
    takes_plain_alone = json == JSON and weights.keys().isdisjoint((GRAPHQL_JSON, *_WILDCARDS))
    return Accepted(
        json,
        GRAPHQL_JSON if takes_plain_alone else json or JSON,
        events=weights.get(EVENTS, 0.0) > 0,
        page=_is_first(_PAGE, weights),
        parts=weights.get(PARTS, 0.0) > 0 and not _OTHER_PARTS.search(header),
    )


def accept_of(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Return the header Accept of an ASGI request, or None. Several headers are joined by commas."""
    values = [value for name, value in headers if name == b"accept"]
    return b", ".join(values).decode("latin-1") if values else None


def _is_first(name: str, weights: dict[str, float]) -> bool:
    """Return whether no other fully named type is preferred: by a higher weight, or by an equal weight and an earlier
    position."""
    named = [each for each in weights if "*" not in each]
    return weights.get(name, 0.0) > 0 and max(named, key=weights.__getitem__) == name


def weighted(header: str) -> dict[str, float]:
    """Return the names in a header of preferences, in lower case, with their weights, 0 to 1 (RFC 9110,
    12.4.2)."""
    weights: dict[str, float] = {}
    for part in header.split(","):
        name, *parameters = (each.strip().lower() for each in part.split(";"))
        if name:
            weights[name] = max(weights.get(name, 0.0), _weight(parameters))
    return weights


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                weight = float(value)
            except ValueError:
                return 1.0
            return weight if 0 <= weight <= 1 else 1.0
    return 1.0
