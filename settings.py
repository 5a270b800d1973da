"""The settings: one table of name, default and meaning.

Each is an environment variable with the prefix ``GATEWAY_``; flags of the command line override them.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

EMBEDDED = "embedded"


class WrongSetting(Exception):
    """A setting that cannot be used. The message is one sentence: its name, its value, what is allowed."""


def _upstream(value: str) -> str:
    if value == EMBEDDED:
        return value
    try:
        url = urlsplit(value)
        usable = url.scheme in ("http", "https") and bool(url.hostname) and not (url.query or url.fragment)
        usable = usable and url.port != 0 and not any(map(str.isspace, value))
    except ValueError:
        usable = False
    if not usable:
        raise ValueError
    return value.rstrip("/") + "/"


_USER_AND_PASSWORD = re.compile(r"(?<=://).*@|^(?!.*://).*@", re.DOTALL)
"""What may be a user and a password in an address that cannot be read: all before the last @."""


def _origins(value: str) -> str:
    if value == "*":
        return value
    origins = [each.strip() for each in value.split(",")]
    for origin in origins:
        url = urlsplit(origin)
        if (
            url.scheme not in ("http", "https")
            or not url.hostname
            or "@" in url.netloc
            or url.port == 0  # and one beyond 65535 is a ValueError
            or f"{url.scheme}://{url.netloc}" != origin
        ):
            raise ValueError
    return ",".join(origins)


def _secret(value: str) -> str:
    # No blanks: those around the value of a header are lost on its way.
    if value and not (
        16 <= len(value) <= 500 and value.isascii() and value.isprintable() and " " not in value
    ):
        raise ValueError
    return value


class Settings(BaseSettings):
    """All settings, checked. ``description`` is the meaning, ``examples`` says what is allowed.

    Times are in seconds.
    """

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", frozen=True)

    upstream: Annotated[str, AfterValidator(_upstream)] = Field(
        default=EMBEDDED,
        repr=False,
        description="The REST API v4 to ask: the address of its root, or the copy embedded in the gateway. A user and "
        "password in it, percent-encoded, are sent upstream and shown nowhere.",
        examples=["an http or https URL, or `embedded`"],
    )
    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="The address to listen on; 0.0.0.0 is all of them.",
        examples=["an address of this machine"],
    )
    port: int = Field(
        default=8000,
        ge=0,
        le=65535,
        description="The port to listen on; 0 takes a free one.",
        examples=["0 to 65535"],
    )
    workers: int = Field(
        default=1, ge=1, le=64, description="How many processes answer requests.", examples=["1 to 64"]
    )

    storage: str = Field(
        default=".cache/{upstream}.sqlite",
        min_length=1,
        description="The file of the last good catalog, from the project's folder on, on a local disk; all "
        "workers share it. `{upstream}` stands for the upstream's name; `:memory:` keeps nothing.",
        examples=["a path, or `:memory:`"],
    )
    crawl: Literal["on", "off"] = Field(
        default="on",
        description="Whether the gateway reads the whole catalog and follows it. Off, it serves what is stored "
        "until that expires, and asks upstream for the rest.",
        examples=["`on` or `off`"],
    )
    crawl_interval: float = Field(
        default=6 * 3600,
        ge=60,
        le=30 * 86400,
        description="Seconds between crawls, varied by a tenth. A crawl costs upstream 3 to 5 s of work, and its "
        "own data are a day old.",
        examples=["60 to 2592000"],
    )
    newest_interval: float = Field(
        default=300,
        ge=10,
        le=86400,
        description="Seconds between looks at page one for new packages, varied by a tenth: one small request.",
        examples=["10 to 86400"],
    )
    fresh: float = Field(
        default=6 * 3600,
        gt=0,
        le=365 * 86400,
        description="Seconds for which a catalog counts as fresh; afterwards answers are marked stale.",
        examples=["up to 31536000"],
    )
    stale_while_revalidate: float = Field(
        default=24 * 3600,
        gt=0,
        le=365 * 86400,
        description="Seconds up to which a stale catalog answers at once while it is refreshed. Older than that, "
        "a request first waits for a crawl, 10 s at most.",
        examples=["up to 31536000"],
    )
    stale_if_error: float = Field(
        default=30 * 86400,
        gt=0,
        le=365 * 86400,
        description="Seconds up to which a catalog answers while upstream fails. Older than that, an error says so.",
        examples=["up to 31536000"],
    )

    engine: Literal["on", "off"] = Field(
        default="on",
        description="Whether operations are compiled and run by the gateway's own engine, many times faster. Off, "
        "Strawberry executes all of them, with the same answers: for comparison, or if they ever differ.",
        examples=["`on` or `off`"],
    )

    response_cache_bytes: int = Field(
        default=64_000_000,
        ge=0,
        le=64_000_000_000,
        description="How much memory kept answers may take, in bytes. They are as exact as others: a new version of "
        "the catalog forgets them all. 0 keeps none.",
        examples=["0 to 64000000000"],
    )
    max_age: int = Field(
        default=60,
        ge=0,
        le=86400,
        description="Seconds for which browsers and caches may use an answer without asking again (`max-age`).",
        examples=["0 to 86400"],
    )
    cors_origins: Annotated[str, AfterValidator(_origins)] = Field(
        default="*",
        description="Which web pages may read the answers: those of all origins, or of these alone (CORS).",
        examples=["`*`, or origins such as `https://example.org` with commas between them"],
    )
    batch_limit: int = Field(
        default=0,
        ge=0,
        le=100,
        description="How many requests a client may send in one array, as batching clients do; 0 is none. Each has all "
        "the limits to itself.",
        examples=["0 to 100"],
    )
    limit_entities: int = Field(
        default=1000,
        ge=1,
        le=10_000,
        description="How many representations one request can have in all its `_entities`: routers ask for many at "
        "once.",
        examples=["1 to 10000"],
    )
    router_secret: Annotated[str, AfterValidator(_secret)] = Field(
        default="",
        repr=False,
        description="What requests for `_entities` must have in their header `Router-Authorization`; the same is "
        "set in the router. Empty, everyone may ask.",
        examples=["16 to 500 visible ASCII characters, or empty"],
    )

    limit_bytes: int = Field(
        default=50_000,
        ge=100,
        le=1_000_000,
        description="Bytes of a document at most. The largest of `examples/` has 665.",
        examples=["100 to 1000000"],
    )
    limit_tokens: int = Field(
        default=2_000,
        ge=10,
        le=1_000_000,
        description="Tokens of a document at most, comments included. The largest of `examples/` has 81.",
        examples=["10 to 1000000"],
    )
    limit_definitions: int = Field(
        default=60,
        ge=1,
        le=10_000,
        description="Operations and fragments of a document at most.",
        examples=["1 to 10000"],
    )
    limit_depth: int = Field(
        default=20,
        ge=1,
        le=100,
        description="How many fields can be in one another, fragments included. Introspection by tools has 15.",
        examples=["1 to 100"],
    )
    limit_selections: int = Field(
        default=2_000,
        ge=1,
        le=1_000_000,
        description="Fields and fragments that a document can select, each fragment counted wherever it is spread.",
        examples=["1 to 1000000"],
    )
    limit_aliases: int = Field(
        default=200,
        ge=0,
        le=1_000_000,
        description="Aliases of a document at most, those of a fragment counted wherever it is spread.",
        examples=["0 to 1000000"],
    )
    limit_root_fields: int = Field(
        default=50,
        ge=1,
        le=10_000,
        description="Root fields of an operation at most: each is a lookup, a list or a search of its own.",
        examples=["1 to 10000"],
    )
    limit_repeated_fields: int = Field(
        default=3_000,
        ge=0,
        le=1_000_000,
        description="Pairs of fields with one name in one place of the answer at most: validation compares each. A "
        "field repeated 100 times makes 4950.",
        examples=["0 to 1000000"],
    )
    limit_values: int = Field(
        default=250_000,
        ge=100,
        le=1_000_000_000,
        description="Values that an answer may have at most, estimated before it is made: a page as long as is asked "
        "for, 10 items in each list without pages. Lists in lists multiply.",
        examples=["100 to 1000000000"],
    )
    limit_work: int = Field(
        default=250_000,
        ge=1_000,
        le=1_000_000_000,
        description="Steps of work that a request may take, counted while it runs wherever it loops: items of lists, "
        "rows compared, records looked up. A step is about a microsecond of processor time.",
        examples=["1000 to 1000000000"],
    )

    limit_running: int = Field(
        default=2,
        ge=1,
        le=1_000,
        description="Operations that each worker runs at once; the others wait. Answers that are kept, and operations "
        "that wait for Django Packages, do not count. More makes every client's wait longer, not shorter.",
        examples=["1 to 1000"],
    )
    limit_waiting: int = Field(
        default=500,
        ge=0,
        le=100_000,
        description="Operations that can wait in each worker, for a place to run or for Django Packages. Newcomers and "
        "connections that have had the least time take turns; one beyond the limit is answered 503.",
        examples=["0 to 100000"],
    )
    limit_waiting_seconds: float = Field(
        default=5,
        gt=0,
        le=300,
        description="Seconds that an operation waits for a place to run at most; then it is answered 503.",
        examples=["up to 300"],
    )

    limit_answer_bytes: int = Field(
        default=10_000_000,
        ge=1_000,
        le=1_000_000_000,
        description="Bytes of an answer at most, before it is compressed; those of all parts together. All fields of "
        "5,400 packages are 16 MB.",
        examples=["1000 to 1000000000"],
    )
    limit_seconds: float = Field(
        default=5,
        gt=0,
        le=600,
        description="Seconds for an operation from its start to its answer, what it waits for upstream included; then "
        "it is ended, and its work upstream with it. For a subscription, each event has as many.",
        examples=["up to 600"],
    )
    limit_connections: int = Field(
        default=2_000,
        ge=0,
        le=1_000_000,
        description="Connections that each worker has open at most; one more is answered 503 and closed. 0 is "
        "no limit.",
        examples=["0 to 1000000"],
    )
    limit_connections_per_address: int = Field(
        default=500,
        ge=0,
        le=1_000_000,
        description="Connections from one address at most. Behind a proxy all clients have its address: set 0, "
        "no limit, and limit them there.",
        examples=["0 to 1000000"],
    )
    limit_sockets: int = Field(
        default=1_000,
        ge=0,
        le=1_000_000,
        description="WebSockets that each worker has open at most. 0 is no limit.",
        examples=["0 to 1000000"],
    )
    limit_sockets_per_address: int = Field(
        default=100,
        ge=0,
        le=1_000_000,
        description="WebSockets from one address at most. Behind a proxy set 0, no limit.",
        examples=["0 to 1000000"],
    )
    limit_subscriptions: int = Field(
        default=2_000,
        ge=0,
        le=1_000_000,
        description="Subscriptions that each worker has at most, over WebSockets and server-sent events. 0 is "
        "no limit.",
        examples=["0 to 1000000"],
    )
    limit_subscriptions_per_address: int = Field(
        default=500,
        ge=0,
        le=1_000_000,
        description="Subscriptions from one address at most. Behind a proxy that names no clients set 0, no "
        "limit.",
        examples=["0 to 1000000"],
    )
    head_seconds: float = Field(
        default=10,
        gt=0,
        le=86_400,
        description="Seconds in which the headers of a request have to arrive, from the opening of the "
        "connection or their first byte on.",
        examples=["up to 86400"],
    )
    idle_seconds: int = Field(
        default=15,
        ge=1,
        le=86_400,
        description="Seconds after which a connection without a request is closed. Behind a proxy: more than "
        "its own.",
        examples=["1 to 86400"],
    )
    socket_idle_seconds: float = Field(
        default=300,
        gt=0,
        le=86_400,
        description="Seconds after which a WebSocket without an operation is closed.",
        examples=["up to 86400"],
    )
    read_seconds: float = Field(
        default=10,
        gt=0,
        le=86_400,
        description="Seconds in which a client has to read 10,000 bytes each of an answer that waits for it; a "
        "slower one is cut off.",
        examples=["up to 86400"],
    )
    limit_unsent_bytes: int = Field(
        default=20_000_000,
        ge=100000,
        le=1_000_000_000,
        description="Bytes that may wait to be written to one client: more than the largest answer.",
        examples=["100000 to 1000000000"],
    )
    limit_unsent_bytes_together: int = Field(
        default=60_000_000,
        ge=100000,
        le=100_000_000_000,
        description="Bytes that may wait to be written to all clients of a worker. Beyond it the connection "
        "that has been slow for longest is cut off.",
        examples=["100000 to 100000000000"],
    )

    automatic_persisted_queries: Literal["on", "off"] = Field(
        default="on",
        description="Whether clients can register documents by their SHA-256 and then send that alone, by Apollo's "
        "protocol.",
        examples=["`on` or `off`"],
    )
    trusted_documents: str = Field(
        default="persisted-query-manifest.json",
        min_length=1,
        description="The manifest of trusted documents, from the project's folder on, as Apollo's, Relay's and "
        "graphql-codegen's tools write it. A new one is taken over while the gateway runs.",
        examples=["a path"],
    )
    trusted_documents_mode: Literal["off", "allow", "only"] = Field(
        default="off",
        description="Whether the manifest is used: `allow` lets clients name its documents by their ids, `only` runs "
        "nothing else.",
        examples=["`off`, `allow` or `only`"],
    )

    upstream_budget: int = Field(
        default=60,
        ge=1,
        le=100_000,
        description="How many searches, and lookups of keys that the catalog does not know, Django Packages gets a "
        "minute at most, from all workers together; as many at once. Beyond that the gateway's own index answers "
        "searches, and lookups are null.",
        examples=["1 to 100000"],
    )
    upstream_timeout: float = Field(
        default=10,
        gt=0,
        le=300,
        description="Seconds for one exchange with upstream: its slowest page takes 2.",
        examples=["up to 300"],
    )
    upstream_connect_timeout: float = Field(
        default=3,
        gt=0,
        le=60,
        description="Seconds to connect to upstream: enough for one lost packet and its repetition.",
        examples=["up to 60"],
    )
    upstream_total_timeout: float = Field(
        default=25,
        gt=0,
        le=600,
        description="Seconds for an answer of upstream with all waiting, attempts and pauses: less than the 30 s "
        "after which most clients and proxies give up.",
        examples=["up to 600"],
    )
    upstream_attempts: int = Field(
        default=3,
        ge=1,
        le=10,
        description="How often a failed request is sent, first time included. More would feed an overload.",
        examples=["1 to 10"],
    )
    upstream_longest_pause: float = Field(
        default=5,
        ge=0,
        le=300,
        description="The longest `Retry-After`, in seconds, that a request waits for; for a longer one it fails.",
        examples=["0 to 300"],
    )
    upstream_longest_retry_after: float = Field(
        default=300,
        ge=1,
        le=86400,
        description="The longest `Retry-After`, in seconds, that the gateway obeys: what asks for more is cut to it, "
        "so that one wrong number does not keep it away for days.",
        examples=["1 to 86400"],
    )
    upstream_answer_bytes: int = Field(
        default=32_000_000,
        ge=100_000,
        le=1_000_000_000,
        description="The largest answer of upstream that is read: all its packages on one page are 16 MB.",
        examples=["100000 to 1000000000"],
    )
    upstream_min_in_flight: int = Field(
        default=1,
        ge=1,
        le=32,
        description="How many requests upstream gets at a time at least, however slow it is.",
        examples=["1 to 32"],
    )
    upstream_max_in_flight: int = Field(
        default=32,
        ge=1,
        le=32,
        description="How many requests upstream gets at a time at most. The gateway starts with 4, where the real "
        "site is saturated, and grows while answers stay quick.",
        examples=["1 to 32"],
    )
    breaker_failures: int = Field(
        default=10,
        ge=1,
        le=1000,
        description="After so many failures in a row upstream is left alone: requests fail at once.",
        examples=["1 to 1000"],
    )
    breaker_rest: float = Field(
        default=5,
        gt=0,
        le=15,
        description="Seconds for which it is left alone before one request probes it; doubled up to 15 while "
        "probes fail.",
        examples=["up to 15"],
    )


def read_settings(**flags: Any) -> Settings:
    """The settings from the environment, and from the flags that are not ``None``.

    :raises WrongSetting: one of them cannot be used.
    """
    try:
        settings = Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        wrong = error.errors()[0]
        name = str(wrong["loc"][0])
        field = Settings.model_fields[name]
        (allowed,) = field.examples or [""]
        found = f'is "{wrong["input"]}"'
        if name == "upstream":
            found = f'is "{_USER_AND_PASSWORD.sub("", str(wrong["input"]))}"'
        elif not field.repr:
            # What is not shown is a secret, which has no place in a log.
            found = "cannot be used"
        raise WrongSetting(f"GATEWAY_{name.upper()} {found}; it can be {allowed}.") from None
    for lower, upper in _ASCENDING:
        value, bound = getattr(settings, lower), getattr(settings, upper)
        if value > bound:
            raise WrongSetting(
                f'GATEWAY_{lower.upper()} is "{value:g}"; it can be at most GATEWAY_{upper.upper()}, {bound:g}.'
            )
    return settings


_ASCENDING = (
    ("fresh", "stale_while_revalidate"),
    ("stale_while_revalidate", "stale_if_error"),
    ("upstream_timeout", "upstream_total_timeout"),
    ("upstream_longest_pause", "upstream_longest_retry_after"),
    ("upstream_min_in_flight", "upstream_max_in_flight"),
)
"""Pairs of which the first can be at most the second."""
