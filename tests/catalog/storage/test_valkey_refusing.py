"""Tests a Valkey server that refuses: each reason has its sentence, and what was read before is still there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing, suppress

import pytest
import redis

from catalog.storage.valkey_storage import ValkeyStorage
from sharing.valkey_address import ValkeyAddress
from sharing.valkey_connection import PREFIX, ValkeyConnection
from tests.support.gateway_processes import until
from tests.support.made_records import catalog_of, package
from tests.support.valkey_servers import ValkeyServer, storage_on, valkey_server
from tests.support.versioned_catalogs import ORIGIN, Clock, keep
from tests.support.versions_in_a_storage import catalog_in
from upstream.client import StorageAway, StorageUnavailable

ONE, OTHER = catalog_of(package(1)), catalog_of(package(1), package(2))


def refusal(ask: Callable[[], object]) -> str:
    """Return the end of the sentence with which a storage refuses."""
    with pytest.raises(StorageAway) as refused:
        ask()
    assert refused.value.code == "STORAGE_UNAVAILABLE"
    for name in ("secret", "reader"):
        assert name not in str(refused.value)
    return str(refused.value).partition(" cannot be used: ")[2]


def test_a_full_server(valkey: ValkeyServer) -> None:
    with storage_on(valkey.url) as storage:
        keep(storage, ONE, Clock().moment)
        valkey.client.config_set("maxmemory", "1")
        try:
            full = "the server is full; raise its maxmemory."
            assert refusal(lambda: keep(storage, OTHER, Clock().moment)) == full
            assert catalog_in(storage.load()).version == ONE.version
        finally:
            valkey.client.config_set("maxmemory", "0")
        keep(storage, OTHER, Clock().moment)
        assert catalog_in(storage.load()).version == OTHER.version


def test_a_replica_that_cannot_be_written(valkey: ValkeyServer) -> None:
    with storage_on(valkey.url) as storage:
        keep(storage, ONE, Clock().moment)
        valkey.client.replicaof("127.0.0.1", "1")
        try:
            read_only = "the server is a replica that cannot be written; name the primary."
            assert refusal(lambda: keep(storage, OTHER, Clock().moment)) == read_only
            assert refusal(lambda: storage.take_lease("one", 60)) == read_only
            assert catalog_in(storage.load()).version == ONE.version
        finally:
            valkey.client.replicaof("NO", "ONE")
        keep(storage, OTHER, Clock().moment)


def test_after_a_failover_it_connects_anew(valkey: ValkeyServer) -> None:
    def connections() -> set[str]:
        return {each["id"] for each in valkey.client.client_list()} - {str(valkey.client.client_id())}

    with storage_on(valkey.url) as storage:
        keep(storage, ONE, Clock().moment)
        before = connections()
        valkey.client.replicaof("127.0.0.1", "1")
        try:
            refusal(lambda: storage.take_lease("one", 60))
        finally:
            valkey.client.replicaof("NO", "ONE")
        # Its name may lead to another node by now.
        assert storage.take_lease("one", 60)
        assert before
        assert not before & connections()


def test_a_server_without_tls_is_not_asked_where_that_is_wanted(valkey: ValkeyServer) -> None:
    address = ValkeyAddress.of(valkey.url.replace("valkey:", "valkeys:"))
    with closing(ValkeyConnection(address, 0.2)) as connection, closing(ValkeyStorage(connection)) as storage:
        # It waits for the rest of what it takes for a command.
        assert refusal(storage.saved) == "the server does not answer in time."


def test_a_server_that_hangs(valkey: ValkeyServer) -> None:
    address = ValkeyAddress.of(valkey.url)
    with closing(ValkeyConnection(address, 0.2)) as connection, closing(ValkeyStorage(connection)) as storage:
        with storage_on(valkey.url) as patient:
            keep(patient, ONE, Clock().moment)

        def loaded() -> bool:
            with suppress(StorageAway):  # the machine is busy
                return catalog_in(storage.load()).version == ONE.version
            return False

        until(loaded)
        with valkey.hanging():
            assert refusal(storage.saved) == "the server does not answer in time."
            # It is left alone for a while, and whoever asks then does not wait.
            assert refusal(storage.saved) == "the server does not answer in time."
            assert len(storage.history.versions(limit=9)) == 1


def test_a_server_that_is_not_there() -> None:
    server = ValkeyServer()
    with storage_on(server.url) as storage:
        assert refusal(storage.saved).startswith("the server cannot be reached (")
        assert refusal(lambda: storage.changes(0, 9)).startswith("the server cannot be reached (")


@pytest.mark.parametrize("user", ["", ":wrong-secret@", "ada:secret@"])
def test_a_wrong_password(user: str) -> None:
    with valkey_server("--requirepass", "right") as server:
        with storage_on(server.url.replace("//", f"//{user}")) as storage:
            assert refusal(storage.saved) == "the server refuses the user or the password, or wants one."
        with storage_on(server.url.replace("//", "//:right@")) as storage:
            assert storage.saved() is None


def test_a_user_who_may_not_do_it(valkey: ValkeyServer) -> None:
    valkey.client.acl_setuser(
        "reader", enabled=True, passwords=["+secret"], keys=["*"], categories=["+@read"], commands=["+client"]
    )
    with storage_on(valkey.url.replace("//", "//reader:secret@")) as storage:
        assert storage.saved() is None
        # As the server says it, but for the name of the user, which stands nowhere but in the settings.
        assert refusal(lambda: keep(storage, ONE, Clock().moment)).startswith(
            "the server does not let this user do it (the user has no permissions to run the "
        )


FOREIGN = (
    f"the key {PREFIX}:state is of another program or of another version of the gateway; use another database"
)
DAMAGED = "the key {key} is damaged or of another program; use another database of the server."


def test_another_layout(valkey: ValkeyServer) -> None:
    valkey.client.hset(f"{PREFIX}:state", mapping={"layout": "99", "number": "3"})
    with storage_on(valkey.url) as storage:
        assert refusal(storage.saved) == f"{FOREIGN} of the server."
        assert refusal(lambda: keep(storage, ONE, Clock().moment)) == f"{FOREIGN} of the server."
    assert valkey.client.hget(f"{PREFIX}:state", "layout") == b"99"


@pytest.mark.parametrize("key", ["state", "lease", "token"])
def test_another_type_under_a_key(valkey: ValkeyServer, key: str) -> None:
    valkey.client.rpush(f"{PREFIX}:{key}", "a list")
    wrong = f"a key that begins with {PREFIX} is not of this gateway; use another database of the server."
    with storage_on(valkey.url) as storage:
        ask = storage.saved if key == "state" else lambda: storage.take_lease("one", 60)
        assert refusal(ask) == wrong


@pytest.mark.parametrize(
    "damage", [b"", b"text", bytes.fromhex("28b52ffd0458010000"), b"\x28\xb5\x2f\xfd" * 9]
)
def test_a_damaged_change(valkey: ValkeyServer, damage: bytes) -> None:
    with storage_on(valkey.url) as one, storage_on(valkey.url) as other:
        keep(one, ONE, Clock().moment)
        other.saved()
        keep(one, OTHER, Clock().moment)
        key = f"{PREFIX}:changes:2"
        valkey.client.set(key, damage)
        assert refusal(other.saved) == DAMAGED.format(key=key)
        # What was read before is still there, and the one that wrote it goes on.
        assert len(other.history.versions(limit=9)) == 1
        assert catalog_in(one.load()).version == OTHER.version


def test_changes_that_are_gone(valkey: ValkeyServer) -> None:
    with storage_on(valkey.url) as one, storage_on(valkey.url) as other:
        keep(one, ONE, Clock().moment)
        valkey.client.delete(f"{PREFIX}:changes:1")
        incomplete = "what it has is incomplete; another program may have deleted some of it."
        assert refusal(other.saved) == incomplete


def test_the_catalog_of_another_upstream(valkey: ValkeyServer) -> None:
    with storage_on(valkey.url) as one, storage_on(valkey.url) as other:
        keep(one, ONE, Clock().moment)
        sentence = (
            f"The storage {valkey.url} cannot be used: it has the catalog of another upstream; set GATEWAY_STORAGE to "
            "another database of the server."
        )
        asks: list[Callable[[], object]] = [
            lambda: other.check_upstream("https://other.test/"),
            lambda: keep(other, OTHER, Clock().moment, origin="https://other.test/"),
        ]
        for ask in asks:
            with pytest.raises(StorageUnavailable) as refused:
                ask()
            assert str(refused.value) == sentence
            # It passes by no waiting, so a start is refused.
            assert not isinstance(refused.value, StorageAway)
        other.check_upstream(ORIGIN)


def test_a_restart_of_the_server_is_not_noticed(valkey: ValkeyServer) -> None:
    with storage_on(valkey.url) as storage:
        keep(storage, ONE, Clock().moment)
        with redis.Redis(port=valkey.port) as other:
            other.client_kill_filter(skipme=True)
        assert storage.saved() is not None
