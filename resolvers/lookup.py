"""Finds one record by the one key that the user gave: a global id, a database id or a slug."""

from __future__ import annotations

import re
from typing import Protocol, TypeVar

from strawberry import relay

from resolvers.errors import BadUserInput

MAX_SLUG = 50
"""The longest slug that upstream stores (contract section 1)."""

_DATABASE_ID = re.compile(r"[0-9]{1,19}")

R = TypeVar("R", covariant=True)


class Loader(Protocol[R]):
    """What a lookup needs: a record by id and by slug, or ``None``."""

    async def by_id(self, id: int) -> R | None: ...  # noqa: D102

    async def by_slug(self, slug: str) -> R | None: ...  # noqa: D102


async def lookup(
    loader: Loader[R], type_name: str, *, id: str | None, database_id: int | None, slug: str | None
) -> R | None:
    """The record of this type with this key, or ``None`` if there is none.

    :raises BadUserInput: not exactly one key is given, or the key cannot be one.
    :raises UpstreamError: upstream did not say whether there is one.
    """
    keys = {"id": id, "databaseId": database_id, "slug": slug}
    given = [name for name, key in keys.items() if key is not None]
    field = type_name.lower()
    if len(given) != 1:
        raise BadUserInput(
            f"{field} takes exactly one of id, databaseId and slug; it got {' and '.join(given) or 'none'}."
        )
    if id is not None:
        return await loader.by_id(node_id(type_name, id, f"{field}(id:)"))
    if database_id is not None:
        return await loader.by_id(database_id)
    assert slug is not None
    if not slug:
        raise BadUserInput(f"{field}(slug:) is empty; a slug has 1 to {MAX_SLUG} characters.")
    if len(slug) > MAX_SLUG:
        raise BadUserInput(
            f"{field}(slug:) has {len(slug):,} characters; a slug has 1 to {MAX_SLUG} characters."
        )
    return await loader.by_slug(slug)


def node_id(type_name: str, global_id: str, argument: str) -> int:
    """The database id in a Relay global id of this type.

    :raises BadUserInput: it is no global id, or one of another type.
    """
    try:
        parsed = relay.GlobalID.from_id(global_id)
    except ValueError:
        parsed = None
    if parsed is None or not _DATABASE_ID.fullmatch(parsed.node_id):
        example = relay.to_base64(type_name, 1599)
        raise BadUserInput(
            f'{argument} is no global id; one looks like "{example}", as the field id gives it.'
        )
    if parsed.type_name != type_name:
        raise BadUserInput(f"{argument} is the global id of a {parsed.type_name}, not of a {type_name}.")
    return int(parsed.node_id)
