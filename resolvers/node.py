"""Resolves any record by its global id (Relay's object identification)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated

import strawberry

from catalog import ContributorRecord
from resolvers.client_errors import BadUserInput
from resolvers.contributor import contributor_by_login
from resolvers.loading.key_lookup import each, node_id, parsed_id
from resolvers.loading.request_context import Context, Info
from upstream.client import Record

Found = Record | ContributorRecord

AnyId = Annotated[strawberry.ID, strawberry.argument(description="The global id from the field `id`.")]
AnyIds = Annotated[
    list[strawberry.ID],
    strawberry.argument(description="Global ids from the field `id`, up to 100."),
]


async def node(info: Info, id: AnyId) -> Found | None:
    """Return the record of any type with this global id."""
    return await _find(info.context, id, "node(id:)")


async def nodes(info: Info, ids: AnyIds) -> list[Found | BaseException | None]:
    """Return the records with these global ids, in the order asked."""

    async def find(id: strawberry.ID) -> Found | None:
        return await _find(info.context, id, "nodes(ids:)")

    found: list[Found | BaseException | None] = await each(info.context, "nodes", ids, find)
    return found


async def _find(context: Context, id: str, argument: str) -> Found | None:
    type_name, key = parsed_id(id, argument)
    if type_name == "Contributor":
        return await contributor_by_login(context, key)
    if type_name not in _BY_ID:
        raise BadUserInput(f"{argument} is the global id of a {type_name}, which is no type of this graph.")
    return await _BY_ID[type_name](context, node_id(type_name, id, argument))


_BY_ID: Mapping[str, Callable[[Context, int], Awaitable[Found | None]]] = {
    "Package": lambda context, id: context.loaders.packages.by_id(id),
    "Grid": lambda context, id: context.loaders.grids.by_id(id),
    "Category": lambda context, id: context.loaders.categories.by_id(id),
}
