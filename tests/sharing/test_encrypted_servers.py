"""Tests a Valkey server behind TLS: its certificate has to be trusted and to have its name, or a sentence says why
not."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from cli.doctor_checks import Severity, check_storage
from sharing.valkey_address import ValkeyAddress
from sharing.valkey_connection import ValkeyConnection, ValkeyUnavailable
from tests.support.gateway_in_process import app_of, client_of
from tests.support.gateway_processes import eventually
from tests.support.made_records import catalog_of, package
from tests.support.port_forwarding import Certificates, certificates, forwarding
from tests.support.settings_for_tests import settings_for_tests
from tests.support.sharing_gateways import sharing_source
from tests.support.valkey_servers import PATIENCE, ValkeyServer, storage_on
from tests.support.versioned_catalogs import Clock, keep
from tests.support.versions_in_a_storage import catalog_in
from upstream.embedded import EmbeddedUpstream

__all__ = ["certificates"]

ONE = catalog_of(package(1))

UNTRUSTED = (
    r"the server's certificate is not trusted \([a-z0-9 -]+\); SSL_CERT_FILE can name a file with the certificate "
    "of the authority that signed it"
)
OTHER_NAME = (
    "the server's certificate has another name; use a name in GATEWAY_STORAGE that the certificate has"
)


@pytest.fixture
def port(valkey: ValkeyServer, certificates: Certificates) -> Iterator[int]:
    """Return the port of an encrypted server, which wants a user and a password."""
    # As docs/operating.md says.
    valkey.client.acl_setuser(
        "adalovelace",
        enabled=True,
        passwords=["+secret"],
        keys=["{djangopackages}:*"],
        channels=["{djangopackages}:*"],
        categories=["+@connection", "+@read", "+@write", "+@scripting", "+@pubsub"],
        commands=["+time"],
        reset=True,
    )
    with forwarding(valkey.port, certificates) as encrypted:
        yield encrypted.port


@pytest.fixture
def trusts(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process trust the authority, as an operator does."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))


def url_of(port: int, host: str = "localhost", scheme: str = "valkeys") -> str:
    return f"{scheme}://adalovelace:secret@{host}:{port}/0"


@pytest.mark.usefixtures("trusts")
@pytest.mark.parametrize("scheme", ["valkeys", "rediss"])
def test_a_catalog_is_stored_on_a_server_with_a_trusted_certificate(port: int, scheme: str) -> None:
    with storage_on(url_of(port, scheme=scheme)) as one, storage_on(url_of(port)) as other:
        keep(one, ONE, Clock().moment)
        assert catalog_in(other.load()).version == ONE.version


@pytest.mark.usefixtures("trusts")
async def test_gateways_hear_of_a_new_version_from_an_encrypted_server(
    embedded: EmbeddedUpstream, port: int, valkey: ValkeyServer
) -> None:
    async with sharing_source(embedded, url_of(port)) as one:
        await eventually(lambda: one.latest)  # so this one leads, and may store what it crawls
        async with sharing_source(embedded, url_of(port)) as two:
            await eventually(lambda: two.latest)
            await eventually(lambda: valkey.client.pubsub_numsub("{djangopackages}:news")[0][1] == 2)
            new = embedded.catalog.insert_package()
            await one.crawl()
            await eventually(lambda: two.latest and new in two.latest.catalog.packages)


@pytest.mark.usefixtures("trusts")
async def test_a_server_whose_certificate_has_another_name_is_refused(port: int) -> None:
    await is_refused(url_of(port, "127.0.0.1"), OTHER_NAME)


async def test_a_server_whose_certificate_is_signed_by_a_stranger_is_refused(port: int) -> None:
    await is_refused(url_of(port), UNTRUSTED)


async def is_refused(url: str, reason: str) -> None:
    """Expect the same sentence of a thread, of the event loop and of the doctor, none with the user and password."""
    address = ValkeyAddress.of(url)
    connection = ValkeyConnection(address, PATIENCE)
    try:
        with pytest.raises(ValkeyUnavailable, match=f"^{reason}$"):
            connection.do(lambda client: client.ping())
    finally:
        connection.close()
    connection = ValkeyConnection(address, PATIENCE)
    try:
        with pytest.raises(ValkeyUnavailable, match=f"^{reason}$"):
            await connection.ado(lambda client: client.ping())
    finally:
        await connection.aclose()
    (found,) = check_storage(settings_for_tests(storage=url))
    assert found.severity is Severity.ERROR
    assert found.sentence.startswith(f"The storage {address} cannot be used: the server's certificate ")
    for secret in ("adalovelace", "secret"):
        assert secret not in f"{found}"


async def test_a_gateway_goes_on_without_a_server_that_it_does_not_trust_and_says_so(
    embedded: EmbeddedUpstream, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    app = app_of(sharing_source(embedded, url_of(port)))
    async with client_of(app) as http:
        told = (await http.get("/readyz")).json()
        page = (await http.get("/", headers={"Accept": "text/html"})).text
    assert (told["status"], told["answersFrom"], told["storage"]) == ("ready", "live", "fails")
    sentence = "The storage cannot be used: the server's certificate is not trusted ("
    assert told["storageError"].startswith(sentence)
    logged = [text for text in caplog.messages if "certificate" in text]
    assert [text.partition(" (")[0] for text in logged] == [
        f"The storage valkeys://localhost:{port}/0 cannot be used: the server's certificate is not trusted"
    ]
    for secret in ("adalovelace", "secret@"):
        assert secret not in f"{told}{page}{caplog.text}"


@pytest.mark.usefixtures("trusts")
def test_a_wrong_password_on_an_encrypted_server_is_told_without_it(port: int) -> None:
    (found,) = check_storage(settings_for_tests(storage=url_of(port).replace("secret", "wrongsecret")))
    assert found.sentence == (
        f"The storage valkeys://localhost:{port}/0 cannot be used: the server refuses the user or the password, "
        "or wants one."
    )
