"""Lists the settings in one table of name, default and meaning.

Each is an environment variable with the prefix ``GATEWAY_``; flags of the command line override them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from setting_declaration import Field, rows_of
from unknown_settings import PREFIX, misspelt

EMBEDDED = "embedded"

FAIR_UNITS = 600_000
"""The units of cost that a client may use in a minute if the operator does not say, about 1.2 s of processor time. A
notebook that reads all packages with the packages of their grids uses 130,000, and a person at GraphiQL 1,000 with each
new query. A loop of the dearest operation is stopped after some seconds."""


class WrongSetting(Exception):
    """Says that a setting cannot be used. The message is one sentence: its name, its value, and what is allowed."""


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


_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]+):")
"""How an address begins, and no path of a file; one letter alone could be a drive."""

_VALKEY_SCHEMES = ("valkey", "valkeys", "redis", "rediss")


def _storage(value: str) -> str:
    scheme = _SCHEME.match(value)
    if scheme is None:
        return value
    url = urlsplit(value)
    if (
        scheme[1] not in _VALKEY_SCHEMES
        or not url.hostname
        or url.port == 0  # and one beyond 65535 is a ValueError
        or not re.fullmatch(r"/?|/[0-9]{1,5}", url.path)
        or url.query
        or url.fragment
        or any(map(str.isspace, value))
    ):
        raise ValueError
    return value


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


_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]+\]")
"""A name or an IPv4 address, or an IPv6 address in brackets, in lower case."""


def _hosts(value: str) -> str:
    hosts = [each.strip().lower() for each in value.split(",")] if value else []
    if not all(map(_HOST.fullmatch, hosts)):
        raise ValueError
    return ",".join(hosts)


def _networks(value: str) -> str:
    from ipaddress import ip_network

    networks = [ip_network(each.strip()) for each in value.split(",")] if value else []
    # A trusted proxy can claim any address, so not all addresses can be trusted.
    if not all(each.prefixlen for each in networks):
        raise ValueError
    return ",".join(map(str, networks))


def _units_or(*words: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        # Only ASCII digits are allowed, and no more than the largest number has.
        if value not in words and not (re.fullmatch("[0-9]{4,10}", value) and 1_000 <= int(value) <= 10**9):
            raise ValueError
        return value

    return check


def _secret(value: str) -> str:
    # Blanks are not allowed, because those around the value of a header are lost on its way.
    if value and not (
        16 <= len(value) <= 500 and value.isascii() and value.isprintable() and " " not in value
    ):
        raise ValueError
    return value


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Holds all settings. ``description`` is the meaning, ``examples`` says what is allowed.

    Times are in seconds. :func:`read_settings` checks the values; the class itself does not.
    """

    upstream: str = Field(
        default=EMBEDDED,
        check=_upstream,
        repr=False,
        description="The REST API v4 to use: the address of its root, or `embedded` for the copy inside the "
        "gateway. A user and password in the address (percent-encoded) are sent upstream and shown nowhere.",
        examples=["an http or https URL, or `embedded`"],
    )
    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="The address to listen on. 0.0.0.0 listens on all addresses.",
        examples=["an address of this machine"],
    )
    port: int = Field(
        default=8000,
        ge=0,
        le=65535,
        description="The port to listen on. 0 chooses a free port.",
        examples=["0 to 65535"],
    )
    workers: int = Field(
        default=1,
        ge=1,
        le=64,
        description="The number of processes that answer requests.",
        examples=["1 to 64"],
    )

    log_format: Literal["console", "json"] = Field(
        default="console",
        description="The form of the log, which goes to standard error: lines for people, or a JSON object on each "
        "line.",
        examples=["`console` or `json`"],
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info",
        description="The least important level that is logged. `debug` has a line for each operation that runs.",
        examples=["`debug`, `info`, `warning` or `error`"],
    )
    traces: Literal["off", "on", "documents"] = Field(
        default="off",
        description="Whether work is traced by OpenTelemetry, which `make tracing` installs. Its standard variables, "
        "such as `OTEL_EXPORTER_OTLP_ENDPOINT`, say where spans are sent. `documents` adds the texts of documents, "
        "with what clients wrote in them.",
        examples=["`off`, `on` or `documents`"],
    )
    slow: float = Field(
        default=1,
        ge=0,
        le=300,
        description="Seconds after which an operation counts as slow and gets a line in the log. 0 means never.",
        examples=["0 to 300"],
    )

    storage: str = Field(
        default=".cache/{upstream}.sqlite",
        min_length=1,
        repr=False,
        check=_storage,
        description="The file for the last good catalog, relative to the project's folder and on a local disk. All "
        "workers share it. `{upstream}` stands for the upstream's name; `:memory:` stores nothing. An address names a "
        "[Valkey or Redis server](docs/operating.md#many-machines) that gateways on many machines share; `valkeys` and "
        "`rediss` use TLS. A user and password in it (percent-encoded) are shown nowhere.",
        examples=[
            "a path, `:memory:`, or an address such as `valkey://host:6379/0` (or `valkeys`, `redis`, `rediss`)"
        ],
    )
    history_days: int = Field(
        default=365,
        ge=1,
        le=3650,
        description="The number of days for which older versions of the catalog are kept beside it. A year takes about "
        "40 MB.",
        examples=["1 to 3650"],
    )
    files: str = Field(
        default=".cache/{upstream}-files",
        min_length=1,
        description="The folder for [the catalog as files](docs/files.md), relative to the project's folder and on a "
        "local disk. All workers share it. Files are made when they are asked for. `{upstream}` stands for the "
        "upstream's name; `off` serves no files.",
        examples=["a path, or `off`"],
    )
    files_bytes: int = Field(
        default=500_000_000,
        ge=0,
        le=1_000_000_000_000,
        description="Maximum size of the folder of `GATEWAY_FILES` in bytes. The files that were used longest ago are "
        "deleted, but never the newest. All files of a version with 5,400 packages are 11 MB.",
        examples=["0 to 1000000000000"],
    )
    crawl: Literal["on", "off"] = Field(
        default="on",
        description="Whether the gateway crawls upstream and keeps the catalog up to date. If off, it serves the "
        "stored catalog until that expires, and requests missing records from upstream.",
        examples=["`on` or `off`"],
    )
    crawl_interval: float = Field(
        default=6 * 3600,
        ge=60,
        le=30 * 86400,
        description="Seconds between crawls, varied by a tenth. A crawl costs upstream 3 to 5 s of work, and "
        "upstream's own data are a day old.",
        examples=["60 to 2592000"],
    )
    crawl_wait: float = Field(
        default=4,
        ge=0,
        le=300,
        description="Seconds that a request waits for a crawl when there is no catalog yet, or an old one. After that "
        "the answer says how far the crawl is and when to try again. It never waits longer than four fifths of "
        "`GATEWAY_LIMIT_SECONDS`.",
        examples=["0 to 300"],
    )
    search_wait: float = Field(
        default=2,
        ge=0.1,
        le=300,
        description="Seconds that a search waits for upstream's own search. After that the catalog answers it.",
        examples=["0.1 to 300"],
    )
    newest_interval: float = Field(
        default=300,
        ge=10,
        le=86400,
        description="Seconds between looks at the heads of the lists, three small requests each, varied by a tenth.",
        examples=["10 to 86400"],
    )
    fresh: float = Field(
        default=6 * 3600,
        gt=0,
        le=365 * 86400,
        description="Seconds for which a catalog counts as fresh. Later answers are marked stale.",
        examples=["up to 31536000"],
    )
    stale_while_revalidate: float = Field(
        default=24 * 3600,
        gt=0,
        le=365 * 86400,
        description="Age in seconds up to which a stale catalog answers at once while it is refreshed. With an "
        "older catalog, a request first waits for a crawl, for up to `GATEWAY_CRAWL_WAIT`.",
        examples=["up to 31536000"],
    )
    stale_if_error: float = Field(
        default=30 * 86400,
        gt=0,
        le=365 * 86400,
        description="Age in seconds up to which a catalog answers while upstream fails. With an older catalog, "
        "requests that need it get an error.",
        examples=["up to 31536000"],
    )

    guard_fewest_packages: int = Field(
        default=1,
        ge=1,
        le=1_000_000,
        description="The fewest packages that a crawl may have. Set it near the real number, so that even a gateway "
        "without a catalog refuses a crawl that has half of them.",
        examples=["1 to 1000000"],
    )
    guard_removed_share: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="The share of the known packages, grids or categories that may be gone in a crawl. In a year "
        "Django Packages removes about this many.",
        examples=["0 to 1"],
    )
    guard_removed_packages: int = Field(
        default=20,
        ge=0,
        le=1_000_000,
        description="The number of packages that may always be gone, or changed in one field, however small the "
        "catalog is. Grids and categories count with their packages.",
        examples=["0 to 1000000"],
    )
    guard_changed_share: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="The share of the records that may lose their value of one field at once, such as all stars set to "
        "0. The daily update changes many stars, but each to another number.",
        examples=["0 to 1"],
    )
    guard_unreadable_share: float = Field(
        default=0.02,
        ge=0,
        le=1,
        description="The share of the records that may become unreadable. Each keeps its last good version. Five "
        "always may become unreadable.",
        examples=["0 to 1"],
    )
    guard_missing_slugs: int = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="The number of records that may have no slug. Django Packages requires a slug of each record.",
        examples=["0 to 1000000"],
    )
    guard_shared_slugs: int = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="The number of packages and grids that may have the slug of another one. The database of Django "
        "Packages allows none.",
        examples=["0 to 1000000"],
    )
    guard_contradictions: int = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="The number of times that a record may name another that does not exist, or that does not name it "
        "in return. Both sides come from one table, so they never differ at one moment.",
        examples=["0 to 1000000"],
    )
    guard_patience: float = Field(
        default=24 * 3600,
        ge=0,
        le=365 * 86400,
        description="Seconds for which crawls must agree on a refused state until it is accepted. 0 means that only an "
        "operator accepts it.",
        examples=["0 to 31536000"],
    )

    engine: Literal["on", "off"] = Field(
        default="on",
        description="Whether the gateway's own engine compiles and runs operations, which is many times faster. If "
        "off, Strawberry runs all operations, with the same answers. Use it for comparison, or if the answers ever "
        "differ.",
        examples=["`on` or `off`"],
    )

    response_cache_bytes: int = Field(
        default=64_000_000,
        ge=0,
        le=64_000_000_000,
        description="The memory for cached answers and for subtrees of answers, in bytes. A new version of the catalog "
        "empties the cache, so cached answers are exact. 0 switches the cache off.",
        examples=["0 to 64000000000"],
    )
    max_age: int = Field(
        default=60,
        ge=0,
        le=86400,
        description="Seconds for which browsers and caches may use an answer without asking again (`max-age`).",
        examples=["0 to 86400"],
    )
    cors_origins: str = Field(
        default="*",
        check=_origins,
        description="The origins whose web pages may read the answers (CORS).",
        examples=["`*`, or origins such as `https://example.org` with commas between them"],
    )
    batch_limit: int = Field(
        default=0,
        ge=0,
        le=100,
        description="The number of requests that a client may send in one array, as batching clients do. 0 allows "
        "none. Each request has its own limits.",
        examples=["0 to 100"],
    )
    limit_entities: int = Field(
        default=1000,
        ge=1,
        le=10_000,
        description="The number of representations that all `_entities` of one request can have together. Routers "
        "ask for many at once.",
        examples=["1 to 10000"],
    )
    router_secret: str = Field(
        default="",
        check=_secret,
        repr=False,
        description="The secret that requests for `_entities` must have in the header `Router-Authorization`. Set "
        "the same value in the router. If it is empty, every client may ask for `_entities`.",
        examples=["16 to 500 visible ASCII characters, or empty"],
    )

    limit_bytes: int = Field(
        default=50_000,
        ge=100,
        le=1_000_000,
        description="Maximum size of a document in bytes. The largest in `examples/` has 665.",
        examples=["100 to 1000000"],
    )
    limit_tokens: int = Field(
        default=2_000,
        ge=10,
        le=1_000_000,
        description="Maximum number of tokens in a document, including comments. The largest in `examples/` has 81.",
        examples=["10 to 1000000"],
    )
    limit_definitions: int = Field(
        default=60,
        ge=1,
        le=10_000,
        description="Maximum number of operations and fragments in a document.",
        examples=["1 to 10000"],
    )
    limit_depth: int = Field(
        default=20,
        ge=1,
        le=100,
        description="Maximum depth of nested fields, including those of fragments. Introspection by tools has 15.",
        examples=["1 to 100"],
    )
    limit_selections: int = Field(
        default=2_000,
        ge=1,
        le=1_000_000,
        description="Maximum number of fields and fragments that a document selects. A fragment counts at each "
        "spread.",
        examples=["1 to 1000000"],
    )
    limit_aliases: int = Field(
        default=200,
        ge=0,
        le=1_000_000,
        description="Maximum number of aliases in a document. Those of a fragment count at each spread.",
        examples=["0 to 1000000"],
    )
    limit_root_fields: int = Field(
        default=50,
        ge=1,
        le=10_000,
        description="Maximum number of root fields of an operation. Each is a lookup, a list or a search.",
        examples=["1 to 10000"],
    )
    limit_repeated_fields: int = Field(
        default=3_000,
        ge=0,
        le=1_000_000,
        description="Maximum number of pairs of fields with the same name at the same place in the answer, because "
        "validation compares each pair. A field that is repeated 100 times makes 4950 pairs.",
        examples=["0 to 1000000"],
    )
    limit_values: int = Field(
        default=300_000,
        ge=100,
        le=1_000_000_000,
        description="Maximum number of values in an answer, predicted before it runs: a page counts as long as "
        "requested, and a list without pages counts with the lengths in the catalog. Nested lists multiply.",
        examples=["100 to 1000000000"],
    )
    limit_work: int = Field(
        default=250_000,
        ge=1_000,
        le=1_000_000_000,
        description="Maximum steps of work for a request, counted while it runs: items of lists, rows compared, "
        "records looked up. A step is about a microsecond of processor time.",
        examples=["1000 to 1000000000"],
    )

    limit_running: int = Field(
        default=2,
        ge=1,
        le=1_000,
        description="The number of operations that each worker runs at once; the others wait. Cached answers, and "
        "operations that wait for Django Packages, do not count. A higher number makes every client wait longer.",
        examples=["1 to 1000"],
    )
    limit_waiting: int = Field(
        default=500,
        ge=0,
        le=100_000,
        description="The number of operations in each worker that can wait for a slot or for Django Packages. New "
        "connections and those that have used the least time take turns. An operation over the limit is answered "
        "503.",
        examples=["0 to 100000"],
    )
    limit_waiting_seconds: float = Field(
        default=1,
        gt=0,
        le=300,
        description="Seconds that an operation waits for a slot. After that it is answered 503. During an overload it "
        "waits only for a moment.",
        examples=["up to 300"],
    )

    limit_answer_bytes: int = Field(
        default=10_000_000,
        ge=1_000,
        le=1_000_000_000,
        description="Maximum size of an answer in bytes, before compression and with all its parts together. All "
        "fields of 5,400 packages are 16 MB.",
        examples=["1000 to 1000000000"],
    )
    limit_seconds: float = Field(
        default=5,
        gt=0,
        le=600,
        description="Seconds for an operation from its start to its answer, including the wait for upstream. After "
        "that it is stopped, together with its requests to upstream. Each event of a subscription has this time.",
        examples=["up to 600"],
    )
    fair_use: str = Field(
        default="auto",
        check=_units_or("auto", "off"),
        description="The [units of cost](docs/fair-use.md) that each client may use in a minute: at all gateways on a "
        "Valkey server together, or else in each worker. `auto` is off where the gateway listens on a loopback "
        f"address only, and {FAIR_UNITS} elsewhere.",
        examples=["`auto`, `off` or 1000 to 1000000000"],
    )
    fair_use_router: str = Field(
        default="6000000",
        check=_units_or("off"),
        description="The units of cost that a router with the secret may use in a minute, counted like "
        "`GATEWAY_FAIR_USE`, where that is not off. A router sends the operations of all its clients.",
        examples=["`off` or 1000 to 1000000000"],
    )
    trusted_proxies: str = Field(
        default="",
        check=_networks,
        description="The proxies in front of the gateway. What they write into `X-Forwarded-For` or `Forwarded` "
        "decides [who a client is](docs/fair-use.md#who-a-client-is). Others are not believed.",
        examples=["addresses or CIDRs such as 10.0.0.0/8 with commas between them, or empty"],
    )
    limit_connections: int = Field(
        default=2_000,
        ge=0,
        le=1_000_000,
        description="Maximum number of open connections in each worker. Another one is answered 503 and closed. 0 "
        "means no limit.",
        examples=["0 to 1000000"],
    )
    limit_connections_per_address: int = Field(
        default=500,
        ge=0,
        le=1_000_000,
        description="Maximum number of connections from one address (of IPv6: from one /64). A proxy in "
        "`GATEWAY_TRUSTED_PROXIES` can have any number; behind any other proxy, set 0 (no limit).",
        examples=["0 to 1000000"],
    )
    limit_sockets: int = Field(
        default=1_000,
        ge=0,
        le=1_000_000,
        description="Maximum number of open WebSockets in each worker. 0 means no limit.",
        examples=["0 to 1000000"],
    )
    limit_sockets_per_address: int = Field(
        default=100,
        ge=0,
        le=1_000_000,
        description="Maximum number of WebSockets of one client. 0 means no limit.",
        examples=["0 to 1000000"],
    )
    limit_subscriptions: int = Field(
        default=2_000,
        ge=0,
        le=1_000_000,
        description="Maximum number of subscriptions in each worker, over WebSockets and server-sent events. 0 "
        "means no limit.",
        examples=["0 to 1000000"],
    )
    limit_subscriptions_per_address: int = Field(
        default=500,
        ge=0,
        le=1_000_000,
        description="Maximum number of subscriptions of one client. 0 means no limit.",
        examples=["0 to 1000000"],
    )
    head_seconds: float = Field(
        default=10,
        gt=0,
        le=86_400,
        description="Seconds within which the headers of a request must arrive, counted from the opening of the "
        "connection or from their first byte.",
        examples=["up to 86400"],
    )
    idle_seconds: int = Field(
        default=15,
        ge=1,
        le=86_400,
        description="Seconds after which a connection without a request is closed. Behind a proxy, set more than "
        "the proxy's own time.",
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
        description="Seconds for which a client may read its answer at less than 10,000 bytes a second. After that "
        "it is cut off.",
        examples=["up to 86400"],
    )
    limit_unsent_bytes: int = Field(
        default=20_000_000,
        ge=100000,
        le=1_000_000_000,
        description="Maximum number of bytes that wait to be written to one client. It must be more than the "
        "largest answer.",
        examples=["100000 to 1000000000"],
    )
    limit_unsent_bytes_together: int = Field(
        default=60_000_000,
        ge=100000,
        le=100_000_000_000,
        description="Maximum number of bytes that wait to be written to all clients of a worker. Over the limit, "
        "the connection that has been slow for longest is cut off.",
        examples=["100000 to 100000000000"],
    )

    automatic_persisted_queries: Literal["on", "off"] = Field(
        default="on",
        description="Whether clients can register documents by their SHA-256 and later send the hash alone "
        "(Apollo's protocol).",
        examples=["`on` or `off`"],
    )
    trusted_documents: str = Field(
        default="persisted-query-manifest.json",
        min_length=1,
        description="The manifest of trusted documents, relative to the project's folder, as the tools of Apollo, "
        "Relay and graphql-codegen write it. A new file is loaded while the gateway runs.",
        examples=["a path"],
    )
    trusted_documents_mode: Literal["off", "allow", "only"] = Field(
        default="off",
        description="Whether the manifest is used. `allow` lets clients name its documents by their ids; `only` "
        "runs no other documents.",
        examples=["`off`, `allow` or `only`"],
    )

    mcp: Literal["auto", "on", "off"] = Field(
        default="auto",
        description="Whether `/mcp` offers tools to [assistants](docs/assistants.md). `auto` does so where the gateway "
        "listens on a loopback address only.",
        examples=["`auto`, `on` or `off`"],
    )
    mcp_hosts: str = Field(
        default="",
        check=_hosts,
        description="The host names, without ports, under which assistants reach `/mcp`, besides those of the same "
        "machine. Requests for other hosts, and of web pages from other hosts, are refused.",
        examples=["names such as `packages.example.org` with commas between them, or empty"],
    )

    upstream_budget: int = Field(
        default=60,
        ge=1,
        le=100_000,
        description="Maximum number of searches and lookups of unknown keys that all workers together, and all "
        "gateways that share a server, send to Django Packages in a minute, which is also the largest burst. Over the "
        "budget the gateway's own index answers searches, and lookups are null.",
        examples=["1 to 100000"],
    )
    upstream_timeout: float = Field(
        default=10,
        gt=0,
        le=300,
        description="Seconds for one exchange with upstream, whose slowest page takes 2.",
        examples=["up to 300"],
    )
    upstream_connect_timeout: float = Field(
        default=3,
        gt=0,
        le=60,
        description="Seconds to connect to upstream. 3 s are enough for one lost packet and its repetition.",
        examples=["up to 60"],
    )
    upstream_total_timeout: float = Field(
        default=25,
        gt=0,
        le=600,
        description="Seconds for an answer from upstream, including all waiting, attempts and pauses. A lookup for an "
        "operation has at most four fifths of `GATEWAY_LIMIT_SECONDS`, so that the other fields keep their data.",
        examples=["up to 600"],
    )
    upstream_attempts: int = Field(
        default=3,
        ge=1,
        le=10,
        description="The number of times that a request is sent, including the first. More attempts would worsen an "
        "overload.",
        examples=["1 to 10"],
    )
    upstream_longest_pause: float = Field(
        default=5,
        ge=0,
        le=300,
        description="The longest `Retry-After`, in seconds, that a request waits for. With a longer one the request "
        "fails.",
        examples=["0 to 300"],
    )
    upstream_longest_retry_after: float = Field(
        default=300,
        ge=1,
        le=86400,
        description="The longest `Retry-After`, in seconds, that the gateway obeys. A longer one is shortened to "
        "it, so that one wrong number does not stop the requests for days.",
        examples=["1 to 86400"],
    )
    upstream_answer_bytes: int = Field(
        default=32_000_000,
        ge=100_000,
        le=1_000_000_000,
        description="The largest answer from upstream that is read, in bytes. All packages on one page are 16 MB.",
        examples=["100000 to 1000000000"],
    )
    upstream_min_in_flight: int = Field(
        default=1,
        ge=1,
        le=32,
        description="The number of requests that upstream always gets at the same time, however slow it is.",
        examples=["1 to 32"],
    )
    upstream_max_in_flight: int = Field(
        default=32,
        ge=1,
        le=32,
        description="Maximum number of requests that upstream gets at the same time. The gateway starts with 4, "
        "which saturates the real site, and sends more while the answers stay quick.",
        examples=["1 to 32"],
    )
    breaker_failures: int = Field(
        default=10,
        ge=1,
        le=1000,
        description="The number of failures in a row after which upstream gets a pause, and requests fail at once.",
        examples=["1 to 1000"],
    )
    breaker_rest: float = Field(
        default=5,
        gt=0,
        le=15,
        description="Seconds for which upstream gets that pause, before one request probes it. The pause doubles up to "
        "15 s while probes fail.",
        examples=["up to 15"],
    )


ROWS = rows_of(Settings)
"""The table: each setting's row by its name."""


def read_settings(**flags: Any) -> Settings:
    """Return the settings from the environment, and from the flags that are not ``None``.

    :raises WrongSetting: one of them cannot be used.
    """
    if (wrong_name := misspelt(os.environ, ROWS)) is not None:
        raise WrongSetting(f"There is no setting {wrong_name[0]}; the nearest is {wrong_name[1]}.")
    variables = {name.lower(): value for name, value in os.environ.items()}
    given = {
        name: variables[variable] for name in ROWS if (variable := f"{PREFIX}{name}".lower()) in variables
    }
    given |= {name: value for name, value in flags.items() if value is not None}
    settings = Settings(**{name: _read(name, value) for name, value in given.items()})
    for lower, upper in _ASCENDING:
        value, bound = getattr(settings, lower), getattr(settings, upper)
        if value > bound:
            raise WrongSetting(
                f'GATEWAY_{lower.upper()} is "{value:.15g}"; it can be at most GATEWAY_{upper.upper()}, {bound:.15g}.'
            )
    return settings


def _read(name: str, value: object) -> Any:
    try:
        return ROWS[name].read(value)
    except ValueError:
        found = f'is "{value}"'
        if name in ("upstream", "storage"):
            found = f'is "{_USER_AND_PASSWORD.sub("", str(value))}"'
        elif ROWS[name].secret:
            # A secret must not be logged.
            found = "cannot be used"
        raise WrongSetting(f"GATEWAY_{name.upper()} {found}; it can be {ROWS[name].allowed}.") from None


_ASCENDING = (
    ("fresh", "stale_while_revalidate"),
    ("stale_while_revalidate", "stale_if_error"),
    ("upstream_timeout", "upstream_total_timeout"),
    ("upstream_longest_pause", "upstream_longest_retry_after"),
    ("upstream_min_in_flight", "upstream_max_in_flight"),
    ("limit_answer_bytes", "limit_unsent_bytes"),
)
"""Pairs of which the first can be at most the second."""
