"""Says where the data of the catalog come from: a real site, or the demo that is embedded in the gateway."""

from __future__ import annotations

from enum import Enum

import strawberry

from catalog import SnapshotStatus
from resolvers.loading.request_context import Info


@strawberry.enum(description="Where the data of a catalog come from.")
class CatalogOrigin(Enum):
    """Tells real data from demo data."""

    SITE = strawberry.enum_value("site", description="The REST API of a site such as Django Packages.")
    DEMO = strawberry.enum_value(
        "demo",
        description="The gateway itself: five real packages, the rest generated. Its operator has named no site.",
    )


def source(root: SnapshotStatus, info: Info) -> CatalogOrigin:
    """Return where the data come from, which is the same for as long as the gateway runs."""
    return CatalogOrigin.DEMO if info.context.source.embedded else CatalogOrigin.SITE
