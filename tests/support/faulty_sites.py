"""Serves upstreams at real addresses, each with one fault: the rows of docs/partial-failure.md."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.types import Receive, Scope, Send

from tests.support.http_servers import free_port, serving
from upstream.embedded import (
    BadField,
    ContentType,
    Effect,
    EmbeddedCatalog,
    EmbeddedUpstream,
    Endless,
    Fault,
    Latency,
    ShortPage,
    Slow,
    StatusFault,
    Truncated,
)

KNOWN = "django-cacheback"
"""The slug of a package that the catalog has."""
KNOWN_ID = 1442
NEW = "published-today"
"""The slug of a package that upstream has, and the catalog does not."""
NEW_ID = 100_000
TOO_SLOW = 0.3
"""Seconds for one exchange with an upstream that is slower; with all others there is time enough."""


@dataclass(frozen=True)
class SiteFault:
    """Describes what is wrong with a site: ``effects`` in the answers, or an ``address`` at which it cannot be
    reached."""

    effects: tuple[Effect, ...] = ()
    address: str = "http://{server}/api/v4/"
    patience: float = 60.0
    """The seconds that the gateway has for an exchange."""
    in_crawl: str = "grids/"
    """The list that a crawl finds faulty; it finds the others well."""


FAULTS = {
    "connection refused": SiteFault(address="http://127.0.0.1:{free}/api/v4/"),
    "DNS failure": SiteFault(address=f"http://{'.'.join(['a' * 60] * 5)}/api/v4/"),  # too long for any name
    "TLS error": SiteFault(address="https://{server}/api/v4/"),  # which speaks plain HTTP
    "reset in a body": SiteFault((Truncated(),)),
    "slow headers": SiteFault((Latency(3),), patience=TOO_SLOW),
    "slow body": SiteFault((Slow(chunk=64, pause=0.2),), patience=TOO_SLOW),
    "endless body": SiteFault((Endless(),)),
    "status 301": SiteFault((StatusFault(301, location="https://elsewhere.example/"),)),
    "status 403": SiteFault((StatusFault(403),)),
    "status 404, HTML": SiteFault((StatusFault(404),)),
    "status 404, JSON, for everything": SiteFault((StatusFault(404, is_json=True),)),
    "status 429": SiteFault((StatusFault(429),)),
    "status 429, `Retry-After: 60`": SiteFault((StatusFault(429, retry_after="60"),)),
    "status 429, `Retry-After: 999999999`": SiteFault((StatusFault(429, retry_after="999999999"),)),
    "status 500, HTML": SiteFault((StatusFault(500),)),
    "status 503, maintenance": SiteFault((StatusFault(503, retry_after="3600"),)),
    "status 200, HTML": SiteFault((ContentType(),)),
    "invalid JSON": SiteFault((Truncated(framed=True),)),
    "wrong types in a record": SiteFault(
        (BadField(KNOWN_ID, "title", 7), BadField(NEW_ID, "title", 7)), in_crawl="packages/"
    ),
    "truncated page": SiteFault((ShortPage(3),)),
}


class FaultySites:
    """Runs one server, behind which each site is an upstream of its own."""

    def __init__(self) -> None:
        self.server = ""
        """Its host and port."""
        self._embedded: EmbeddedUpstream | None = None

    def site(self, name: str, rows: EmbeddedCatalog) -> Site:
        """Return the site with this fault, over these rows, which is served from now on."""
        fault = FAULTS[name]
        site = Site(
            fault, fault.address.format(server=self.server, free=free_port()), EmbeddedUpstream(catalog=rows)
        )
        self._embedded = site.embedded
        return site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the present site does."""
        assert self._embedded is not None
        await self._embedded(scope, receive, send)


@contextmanager
def faulty_sites() -> Iterator[FaultySites]:
    """Serve them."""
    sites = FaultySites()
    with serving(sites) as address:
        sites.server = address.removeprefix("http://")
        yield sites


@dataclass
class Site:
    """Is a site with a fault that comes and goes, unless it is one of its address."""

    fault: SiteFault
    address: str
    embedded: EmbeddedUpstream

    @property
    def can_recover(self) -> bool:
        """Return whether it can be reached at all."""
        return bool(self.fault.effects)

    def break_down(self, path: str = "") -> None:
        """Let the fault begin below this path."""
        for effect in self.fault.effects:
            self.embedded.faults.add(Fault(effect, path=f"/api/v4/{path}"))

    def recover(self) -> None:
        """Let the fault end."""
        self.embedded.faults.clear()
