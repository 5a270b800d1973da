"""Declares what a router of Apollo Federation asks of a subgraph: its schema, and the records that other graphs refer
to.

The keys of each type are in its own file, and read by ``resolvers.federation_entities``.
"""

from __future__ import annotations

from typing import Annotated

import strawberry

from schema.category import Category
from schema.contributor import Contributor
from schema.grid import Grid
from schema.package import Package
from schema.sdl_dialects import print_dialect

Entity = Annotated[
    Category | Contributor | Grid | Package,
    strawberry.union("_Entity", description="A record that other graphs can refer to by a key."),
]


@strawberry.type(name="_Service", description="This graph as a part of a supergraph.")
class Service:
    """Is resolved from itself."""

    sdl: str = strawberry.field(
        description="The schema with the directives of Apollo Federation, to be composed."
    )


def service(info: strawberry.Info) -> Service:
    """Return the schema that the request runs on."""
    assert isinstance(info.schema, strawberry.Schema)
    return Service(sdl=print_dialect(info.schema, "federation"))
