"""Speaks to the Valkey or Redis server by which gateways share one catalog, one limit on requests to upstream, and the
allowances of clients."""

from importlib import import_module
from typing import TYPE_CHECKING

from sharing.allowance_charges import Charge, Charged
from sharing.valkey_address import ValkeyAddress, is_valkey

if TYPE_CHECKING:
    from sharing.announcements import Announcements
    from sharing.replication_log import ChangeLog, LogState, changes_key, damaged, snapshot_key
    from sharing.shared_documents import SharedDocuments
    from sharing.valkey_allowances import SharedAllowances
    from sharing.valkey_connection import ValkeyConnection, ValkeyUnavailable
    from sharing.valkey_lease import drop_lease, take_lease
    from sharing.valkey_request_limits import SharedPace

__all__ = [
    "Announcements",
    "ChangeLog",
    "Charge",
    "Charged",
    "LogState",
    "SharedAllowances",
    "SharedDocuments",
    "SharedPace",
    "ValkeyAddress",
    "ValkeyConnection",
    "ValkeyUnavailable",
    "changes_key",
    "damaged",
    "drop_lease",
    "is_valkey",
    "snapshot_key",
    "take_lease",
]

_IMPORTED_WHEN_ASKED_FOR = {
    "Announcements": "announcements",
    "ChangeLog": "replication_log",
    "LogState": "replication_log",
    "SharedAllowances": "valkey_allowances",
    "SharedDocuments": "shared_documents",
    "SharedPace": "valkey_request_limits",
    "ValkeyConnection": "valkey_connection",
    "ValkeyUnavailable": "valkey_connection",
    "changes_key": "replication_log",
    "damaged": "replication_log",
    "drop_lease": "valkey_lease",
    "snapshot_key": "replication_log",
    "take_lease": "valkey_lease",
}
"""They bring the client library, which most gateways need not have."""


def __getattr__(name: str) -> object:
    """Import a name of a module that needs the client library when somebody asks for it."""
    if name not in _IMPORTED_WHEN_ASKED_FOR:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"sharing.{_IMPORTED_WHEN_ASKED_FOR[name]}"), name)
