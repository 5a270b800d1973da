"""Declares the root of subscriptions."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import strawberry
from strawberry import relay

from engine import DependsOn, depends_on
from resolvers import catalog_changes as resolvers


@strawberry.type(description="The subscriptions of the graph, over server-sent events or a WebSocket.")
class Subscription:
    """Is resolved by ``resolvers.catalog_changes``."""

    catalog_changed = strawberry.subscription(
        resolver=resolvers.catalog_changed,
        metadata=depends_on(DependsOn.FEED | DependsOn.CATALOG),
        graphql_type=AsyncGenerator[resolvers.Change[relay.Node], None],
        description="Each change when the gateway finds it. The events are the same as in `changes`.",
    )
