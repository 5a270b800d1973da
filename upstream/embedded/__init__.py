"""An embedded copy of the REST API v4 of Django Packages, for demos, tests and benchmarks.

It behaves as the contract of the measured API says, over the five real records and a generated catalogue.

    upstream = EmbeddedUpstream(packages=50)
    upstream.catalogue.update_package(1599, title="renamed")
    upstream.faults.add(Fault(Status(503, retry_after="1"), times=2))
    upstream.requests.total
"""

from .app import EmbeddedUpstream
from .catalogue import Catalogue
from .faults import (
    BadField,
    ContentType,
    Dropped,
    Effect,
    Fault,
    Faults,
    InsertAfterList,
    Latency,
    Nested,
    Oversized,
    Poisoned,
    RemoveAfterList,
    Slow,
    State,
    Status,
    Truncated,
    WrongCount,
)
from .generated import generated_catalogue
from .request_log import RequestLog
from .rows import Category, Grid, Package, category_from_v4, grid_from_v4, package_from_v4
from .seed_documents import SEED_IDS, seed_record

__all__ = [
    "SEED_IDS",
    "BadField",
    "Catalogue",
    "Category",
    "ContentType",
    "Dropped",
    "Effect",
    "EmbeddedUpstream",
    "Fault",
    "Faults",
    "Grid",
    "InsertAfterList",
    "Latency",
    "Nested",
    "Oversized",
    "Package",
    "Poisoned",
    "RemoveAfterList",
    "RequestLog",
    "Slow",
    "State",
    "Status",
    "Truncated",
    "WrongCount",
    "category_from_v4",
    "generated_catalogue",
    "grid_from_v4",
    "package_from_v4",
    "seed_record",
]
