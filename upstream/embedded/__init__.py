"""Imitates the REST API v4 of Django Packages in the same process, for demos, tests and benchmarks.

It behaves as the contract of the measured API says, with five real records and a generated catalog.

    upstream = EmbeddedUpstream(packages=50)
    upstream.catalog.update_package(1599, title="renamed")
    upstream.faults.add(Fault(Status(503, retry_after="1"), times=2))
    upstream.requests.total
"""

from .asgi_app import EmbeddedUpstream
from .cached_catalog import cached_catalog
from .editable_catalog import EmbeddedCatalog
from .faults import (
    BadField,
    ContentType,
    Dropped,
    Effect,
    Endless,
    Fault,
    Faults,
    InsertAfterList,
    Latency,
    Nested,
    Oversized,
    Poisoned,
    RemoveAfterList,
    ShortPage,
    Slow,
    State,
    StatusFault,
    Truncated,
    WrongCount,
)
from .generated_catalog import generated_catalog
from .recorded_packages import SEED_IDS, seed_record
from .request_log import RequestLog
from .row_types import CategoryRow, GridRow, PackageRow, category_from_v4, grid_from_v4, package_from_v4

__all__ = [
    "SEED_IDS",
    "BadField",
    "CategoryRow",
    "ContentType",
    "Dropped",
    "Effect",
    "EmbeddedCatalog",
    "EmbeddedUpstream",
    "Endless",
    "Fault",
    "Faults",
    "GridRow",
    "InsertAfterList",
    "Latency",
    "Nested",
    "Oversized",
    "PackageRow",
    "Poisoned",
    "RemoveAfterList",
    "RequestLog",
    "ShortPage",
    "Slow",
    "State",
    "StatusFault",
    "Truncated",
    "WrongCount",
    "cached_catalog",
    "category_from_v4",
    "generated_catalog",
    "grid_from_v4",
    "package_from_v4",
    "seed_record",
]
