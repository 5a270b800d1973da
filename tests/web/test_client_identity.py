"""Tests which client a request comes from: by its address, behind proxies, and by the secret of a router."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from gateway.current_caller import ROUTER
from gateway.federation_router import FederationRouter
from tests.support.settings_for_tests import ROUTER as NO_ROUTER
from web.client_identity import Clients

SECRET = "a-secret-of-the-router"
PROXY = "10.0.0.1"
DIRECT = Clients([], NO_ROUTER)
PROXIED = Clients([ip_network(each) for each in ("10.0.0.0/8", "2001:db8:ffff::/48")], NO_ROUTER)


def named(clients: Clients, peer: str | None, *headers: tuple[str, str]) -> str:
    """Return the client of a request from a peer, with these headers."""
    sent = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    return clients.of_request(peer, clients.telling(sent))


def listed(*values: str, peer: str = PROXY) -> str:
    """Return the client that a proxy names in lines of X-Forwarded-For."""
    return named(PROXIED, peer, *(("x-forwarded-for", value) for value in values))


def forwarded(*values: str) -> str:
    """Return the client that a proxy names in lines of Forwarded."""
    return named(PROXIED, PROXY, *(("forwarded", value) for value in values))


@pytest.mark.parametrize(
    ("peer", "client"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("fe80::2%eth1", "fe80::/64"),
        ("::1", "::/64"),
        ("testclient", ""),
        ("router", ""),
        (None, ""),
        ("", ""),
    ],
)
def test_a_client_is_an_address_or_a_network_of_ipv6(peer: str | None, client: str) -> None:
    assert named(DIRECT, peer) == client
    assert DIRECT.of_connection(peer) == client


def test_what_a_client_says_of_itself_is_not_believed() -> None:
    said = (("x-forwarded-for", "192.0.2.9"), ("forwarded", "for=192.0.2.9"))
    assert named(DIRECT, "192.0.2.1", *said) == "192.0.2.1"
    assert named(PROXIED, "192.0.2.1", *said) == "192.0.2.1"
    assert named(PROXIED, None, *said) == ""


def test_behind_trusted_proxies_it_is_the_first_untrusted_address_from_the_right() -> None:
    assert listed("192.0.2.1") == "192.0.2.1"
    assert listed("192.0.2.9, 192.0.2.1, 10.0.0.2,10.0.0.3") == "192.0.2.1"
    assert listed("192.0.2.9", "192.0.2.1", "10.0.0.2") == "192.0.2.1"
    assert listed("192.0.2.9, 2001:db8:1:2::3, 2001:db8:ffff::1") == "2001:db8:1:2::/64"
    assert listed("192.0.2.1", peer="::ffff:10.0.0.1") == "192.0.2.1"
    assert listed("192.0.2.1:4711") == "192.0.2.1"
    assert listed("[2001:db8:1:2::3]:443") == "2001:db8:1:2::/64"
    assert listed("::ffff:192.0.2.1") == "192.0.2.1"


def test_where_all_are_trusted_it_is_the_farthest() -> None:
    assert listed("10.0.0.3, 10.0.0.2") == "10.0.0.3"
    assert named(PROXIED, PROXY) == PROXY


@pytest.mark.parametrize("entry", ["unknown", "_hidden", "", "1.2.3", "192.0.2.1/8", "é", "9" * 5_000])
def test_nothing_is_read_beyond_what_is_no_address(entry: str) -> None:
    assert listed(f"192.0.2.9, {entry}") == PROXY
    assert listed(f"192.0.2.9, {entry}, 10.0.0.7") == "10.0.0.7"
    assert forwarded(f"for=192.0.2.9, for={entry}") == PROXY


def test_thousands_of_entries_change_nothing_and_few_are_read() -> None:
    assert listed(",".join(["192.0.2.9"] * 10_000) + ",192.0.2.1") == "192.0.2.1"
    assert listed("," * 32_000 + "192.0.2.1") == "192.0.2.1"
    assert listed(*["192.0.2.9,10.0.0.2"] * 10_000, "192.0.2.1") == "192.0.2.1"
    # Not looked past without end: the client is then one of the proxies.
    assert listed("192.0.2.1," + ",".join(["10.0.0.2"] * 10_000)) == "10.0.0.2"


def test_the_header_forwarded_is_read_too() -> None:
    assert forwarded("for=192.0.2.1") == "192.0.2.1"
    assert forwarded('for=192.0.2.9, For="192.0.2.1:4711";proto=https;by=10.0.0.1') == "192.0.2.1"
    assert forwarded('proto=https;for="[2001:db8:1:2::3]:443", for=10.0.0.2') == "2001:db8:1:2::/64"
    assert forwarded("proto=https") == PROXY
    assert forwarded("for=192.0.2.9, proto=https") == PROXY


@pytest.mark.parametrize("host", ["x,for=192.0.2.9", "x,for=192.0.2.9;a=", "x, for=192.0.2.9;a=\\"])
def test_no_host_name_looks_like_the_part_of_a_proxy(host: str) -> None:
    assert forwarded(f'for=192.0.2.1;host="{host}"') != "192.0.2.9"
    assert forwarded(f'for=192.0.2.1;host="{host}";proto="https"') != "192.0.2.9"


def test_of_two_headers_that_disagree_neither_is_believed() -> None:
    agreeing = (("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=192.0.2.1;proto=https"))
    assert named(PROXIED, PROXY, *agreeing) == "192.0.2.1"
    assert named(PROXIED, PROXY, ("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=192.0.2.9")) == PROXY


def test_a_trusted_proxy_is_no_client_of_its_connections() -> None:
    assert PROXIED.of_connection(PROXY) is None
    assert PROXIED.of_connection("2001:db8:ffff::1") is None
    assert PROXIED.of_connection("192.0.2.1") == "192.0.2.1"
    assert PROXIED.of_connection(None) == ""


def test_a_router_is_known_by_its_secret_wherever_it_is() -> None:
    clients = Clients([ip_network("10.0.0.0/8")], FederationRouter(SECRET, 1))
    assert named(clients, "192.0.2.1", ("router-authorization", SECRET)) == ROUTER
    assert named(clients, PROXY, ("x-forwarded-for", "192.0.2.2"), ("router-authorization", SECRET)) == ROUTER
    assert named(clients, "192.0.2.1", ("router-authorization", "another-secret-of-16")) == "192.0.2.1"
    assert named(clients, "192.0.2.1", ("router-authorization", "é")) == "192.0.2.1"
    assert named(DIRECT, "192.0.2.1", ("router-authorization", "")) == "192.0.2.1"
