"""Decides which client a request comes from. All limits for each client count by this.

A client is an IPv4 address, or a network of 64 bits of IPv6, because that is what one household or one server gets and
chooses its addresses from. Behind a trusted proxy it is the address that the proxy names. The router of a supergraph,
known by its secret, is a client of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from itertools import islice

from gateway import ROUTER, FederationRouter
from web.request_parsing import ROUTER_HEADER

Network = IPv4Network | IPv6Network
Header = tuple[bytes, bytes]

UNKNOWN = ""
"""The client that stands for all whose address is not known, such as those of a Unix socket."""

MAX_PROXIES = 10
"""The most proxies in a row that are looked past. A request can have thousands of addresses in its headers."""

LONGEST_ENTRY = 100
"""The most characters of an entry that names an address: the longest has 48, and a zone or a port behind it."""

REMEMBERED = 4_096
"""How many addresses are remembered with the client that they mean: to read one takes some microseconds."""

_FORWARDED_FOR, _FORWARDED, _ROUTER = b"x-forwarded-for", b"forwarded", ROUTER_HEADER.lower().encode()

_PAIR = r'[ \t]*[\w!#$%&\'*+.^`|~-]+=(?:[\w!#$%&\'*+.^`|~-]+|"[^"\\,]*")[ \t]*'
_ELEMENT = re.compile(rf"{_PAIR}(?:;{_PAIR})*", re.ASCII)
"""One proxy's part of the header Forwarded (RFC 7239, section 4). A quoted value with a comma or an escape is not
taken: a client could have written it, in its Host header, to look like the part of another proxy."""

_FOR = re.compile(r"(?:^|;)[ \t]*for=\"?([^\";]*)", re.ASCII | re.IGNORECASE)


class Clients:
    """Names the client of a connection and of a request.

    ``proxies`` are the networks of the proxies that are trusted to name their clients, in ``X-Forwarded-For`` or in
    ``Forwarded``. ``router`` knows the secret of a router.
    """

    def __init__(self, proxies: Sequence[Network], router: FederationRouter) -> None:
        self._proxies = tuple(proxies)
        self._router = router
        self._telling = frozenset(
            [*((_FORWARDED_FOR, _FORWARDED) if proxies else ()), *((_ROUTER,) if router.secret else ())]
        )

    def of_connection(self, peer: str | None) -> str | None:
        """Return the client at the other end of a connection, whose address is ``peer``; ``None`` if a trusted proxy
        is there, which has many."""
        address = _address(peer or "")
        return None if address is not None and self._trusts(address) else client_at(peer)

    def telling(self, headers: Iterable[Header]) -> tuple[Header, ...]:
        """Return those of a request's headers on which it depends who its client is."""
        return tuple(each for each in headers if each[0] in self._telling) if self._telling else ()

    def of_request(self, peer: str | None, telling: tuple[Header, ...]) -> str:
        """Return the client of a request that came from ``peer``, with the headers that :meth:`telling` returned."""
        if not telling:
            return client_at(peer)
        shown = [value for name, value in telling if name == _ROUTER]
        if shown and self._router.is_known(b", ".join(shown).decode("latin-1")):
            return ROUTER
        address = _address(peer or "")
        if address is None or not self._trusts(address):
            return client_at(peer)
        return _client(self._forwarded(address, telling))

    def _forwarded(self, proxy: _Address, telling: tuple[Header, ...]) -> _Address:
        """Return the client's address that the headers name, or the proxy's own if they do not agree. A proxy writes
        one of them; the other may come from a client."""
        listed = [value for name, value in telling if name == _FORWARDED_FOR]
        elements = [value for name, value in telling if name == _FORWARDED]
        named = self._first_untrusted(proxy, map(_address, _from_the_right(listed)))
        if not elements:
            return named
        other = self._first_untrusted(proxy, map(_address_in_element, _from_the_right(elements)))
        return other if not listed or other == named else proxy

    def _first_untrusted(self, proxy: _Address, addresses: Iterator[_Address | None]) -> _Address:
        """Return the first address that no trusted proxy has, or the last one before something that is no address."""
        nearest = proxy
        for address in islice(addresses, MAX_PROXIES):
            if address is None:
                break
            nearest = address
            if not self._trusts(address):
                break
        return nearest

    def _trusts(self, address: _Address) -> bool:
        return any(address in network for network in self._proxies)


@lru_cache(REMEMBERED)
def client_at(peer: str | None) -> str:
    """Return the client with an address, as a server writes it. What is no address may come from a client: with it, one
    could take the name of another, or a new one for each request."""
    address = _address(peer or "")
    return UNKNOWN if address is None else _client(address)


_Address = IPv4Address | IPv6Address


def _client(address: _Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(ip_network((int(address) >> 64 << 64, 64)))


def _from_the_right(values: list[bytes]) -> Iterator[str]:
    """Yield the entries of a header that may have come in several lines, the last one first."""
    for value in reversed(values):
        # Only the last few are read, because there can be thousands.
        for entry in reversed(value.rsplit(b",", MAX_PROXIES)):
            yield entry.decode("latin-1").strip()


def _address_in_element(element: str) -> _Address | None:
    named = _FOR.search(element) if _ELEMENT.fullmatch(element) else None
    return _address(named[1]) if named else None


def _address(entry: str) -> _Address | None:
    return None if len(entry) > LONGEST_ENTRY else _read_address(entry)


@lru_cache(REMEMBERED)
def _read_address(entry: str) -> _Address | None:
    """Return the address in an entry, which may have brackets, a port or a zone."""
    host = entry
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ip_address(host)
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return address
    # On a socket for both versions, an address of IPv4 looks like one of IPv6 (RFC 4291, section 2.5.5.2). The zone of
    # an address is an interface of this machine.
    return address.ipv4_mapped or IPv6Address(int(address))
