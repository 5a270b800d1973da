"""Groups the settings into the values that the rooms take.

The rooms define these values without defaults, because every default is in ``settings.py``. A room is imported when its
group is made, so that no command waits for the rooms of another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from settings import FAIR_UNITS, Settings

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

    from catalog import Freshness
    from catalog.sync import GuardLimits, Schedule
    from engine import RunLimits
    from gateway import AdmissionLimits, FairUse
    from gateway.limits import DocumentLimits
    from sharing import ValkeyConnection
    from upstream.client import ClientLimits
    from web.serving.connection_and_websocket_limits import ConnectionLimits


LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""The hosts to listen on that only programs of the same machine reach."""

LOOKUP_SHARE = 0.8
"""The share of an operation's time after which a lookup at upstream fails, so that the rest of its data is sent."""


def is_loopback(settings: Settings) -> bool:
    """Return whether only programs of this machine reach the gateway."""
    return settings.host in LOOPBACK


def client_limits(settings: Settings) -> ClientLimits:
    """Give what the client may spend on upstream."""
    from upstream.client import FIRST_PAUSE, ClientLimits

    return ClientLimits(
        exchange=settings.upstream_timeout,
        connect=settings.upstream_connect_timeout,
        # This is less than an operation has, so that a lookup that fails leaves time for the rest of its data.
        total=min(settings.upstream_total_timeout, LOOKUP_SHARE * settings.limit_seconds),
        attempts=settings.upstream_attempts,
        first_pause=FIRST_PAUSE,
        longest_pause=settings.upstream_longest_pause,
        longest_retry_after=settings.upstream_longest_retry_after,
        answer_bytes=settings.upstream_answer_bytes,
        lowest_in_flight=settings.upstream_min_in_flight,
        highest_in_flight=settings.upstream_max_in_flight,
        breaker_failures=settings.breaker_failures,
        breaker_rest=settings.breaker_rest,
    )


def schedule(settings: Settings) -> Schedule:
    """Give when the catalog is refreshed."""
    from catalog.sync import ALONE, FIRST_RETRY, LEASE, LONGEST_RETRY, LOOK, PROBE, Schedule

    return Schedule(
        crawl=settings.crawl_interval,
        newest=settings.newest_interval,
        lease=LEASE,
        look=LOOK,
        probe=PROBE,
        first_retry=FIRST_RETRY,
        longest_retry=LONGEST_RETRY,
        alone=ALONE,
    )


def guard_limits(settings: Settings) -> GuardLimits:
    """Give how far a crawl may differ from what is known."""
    from catalog.sync import GuardLimits

    return GuardLimits(
        fewest_packages=settings.guard_fewest_packages,
        removed_share=settings.guard_removed_share,
        removed_packages=settings.guard_removed_packages,
        changed_share=settings.guard_changed_share,
        unreadable_share=settings.guard_unreadable_share,
        missing_slugs=settings.guard_missing_slugs,
        shared_slugs=settings.guard_shared_slugs,
        contradictions=settings.guard_contradictions,
        patience=settings.guard_patience,
    )


def freshness(settings: Settings) -> Freshness:
    """Give how old the catalog may be."""
    from catalog import Freshness

    return Freshness(
        fresh=settings.fresh,
        while_revalidate=settings.stale_while_revalidate,
        if_error=settings.stale_if_error,
    )


def crawl_wait(settings: Settings) -> float:
    """Give how many seconds a request waits for a crawl."""
    # Its own time must not be over before it can say how far the crawl is.
    return min(settings.crawl_wait, 0.8 * settings.limit_seconds)


def document_limits(settings: Settings) -> DocumentLimits:
    """Give what a document may have."""
    from gateway.limits import DocumentLimits

    return DocumentLimits(
        bytes=settings.limit_bytes,
        tokens=settings.limit_tokens,
        definitions=settings.limit_definitions,
        depth=settings.limit_depth,
        selections=settings.limit_selections,
        aliases=settings.limit_aliases,
        root_fields=settings.limit_root_fields,
        repeated_fields=settings.limit_repeated_fields,
        values=settings.limit_values,
        work=settings.limit_work,
    )


def run_limits(settings: Settings) -> RunLimits:
    """Give what one run of an operation may take."""
    from engine import RunLimits

    return RunLimits(answer_bytes=settings.limit_answer_bytes, seconds=settings.limit_seconds)


def admission_limits(settings: Settings) -> AdmissionLimits:
    """Give how many operations run, and how many wait for how long."""
    from gateway import AdmissionLimits

    return AdmissionLimits(
        running=settings.limit_running,
        waiting=settings.limit_waiting,
        seconds=settings.limit_waiting_seconds,
    )


def connection_limits(settings: Settings) -> ConnectionLimits:
    """Give how much the connections of clients may hold."""
    from web.serving.connection_and_websocket_limits import ConnectionLimits

    return ConnectionLimits(
        connections=settings.limit_connections,
        connections_per_address=settings.limit_connections_per_address,
        sockets=settings.limit_sockets,
        sockets_per_address=settings.limit_sockets_per_address,
        head_seconds=settings.head_seconds,
        socket_idle_seconds=settings.socket_idle_seconds,
        read_seconds=settings.read_seconds,
        unsent_bytes=settings.limit_unsent_bytes,
        unsent_bytes_together=settings.limit_unsent_bytes_together,
    )


def trusted_proxies(settings: Settings) -> list[IPv4Network | IPv6Network]:
    """Give the networks of the proxies that may name their clients."""
    from ipaddress import ip_network

    return [ip_network(each) for each in settings.trusted_proxies.split(",") if each]


def fair_use(settings: Settings, server: ValkeyConnection | None = None) -> FairUse | None:
    """Give what clients may cost, at all gateways on a server if there is one; ``None`` if there is no limit."""
    from gateway import ROUTER, FairUse

    if settings.fair_use == "off" or (settings.fair_use == "auto" and is_loopback(settings)):
        return None
    units = FAIR_UNITS if settings.fair_use == "auto" else int(settings.fair_use)
    of_router = None if settings.fair_use_router == "off" else int(settings.fair_use_router)
    if server is None:
        return FairUse(units, {ROUTER: of_router})
    from sharing import SharedAllowances

    return FairUse(units, {ROUTER: of_router}, SharedAllowances(server))
