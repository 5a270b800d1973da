"""Finds records by the keys that users have: a global id, a database id, a slug, a PyPI name, a repository."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Protocol, TypeVar

from strawberry import relay

from catalog import Catalog, normalise_pypi_name, pypi_name, repository
from resolvers.client_errors import BadUserInput
from resolvers.loading.request_context import Context
from resolvers.work_budget import LOOKUP
from upstream.client import PackageRecord, note_not_looked_up

MAX_SLUG = 50
"""The longest slug that upstream stores (contract section 1)."""

MAX_GLOBAL_ID = 1000
"""The most characters of a global id: five times the longest of any record. Messages repeat the content of a wrong
one."""

MAX_KEYS = 100
"""The most keys of one bulk lookup."""

_DATABASE_ID = re.compile(r"[0-9]{1,19}")

R = TypeVar("R", covariant=True)
K = TypeVar("K")
T = TypeVar("T")


class KeyLoader(Protocol[R]):
    """Declares what a lookup needs: a record by id and by slug, or ``None``."""

    async def by_id(self, id: int) -> R | None: ...  # noqa: D102

    async def by_slug(self, slug: str) -> R | None: ...  # noqa: D102


async def lookup(
    loader: KeyLoader[R], type_name: str, *, id: str | None, database_id: int | None, slug: str | None
) -> R | None:
    """Return the record of this type with the one key that is given, or ``None`` if there is none.

    :raises BadUserInput: the key cannot be one.
    :raises UpstreamError: upstream did not say whether there is one.
    """
    field = type_name.lower()
    if id is not None:
        return await loader.by_id(node_id(type_name, id, f"{field}(id:)"))
    if database_id is not None:
        return await loader.by_id(database_id)
    assert slug is not None
    return await loader.by_slug(checked_slug(slug, f"{field}(slug:)"))


async def package_by_pypi_name(context: Context, name: str) -> PackageRecord | None:
    """Return the package with this name on PyPI, the oldest if several claim it; ``None`` if there is none.

    Upstream cannot be asked for a name, so one that the catalog does not have is looked for among the newest packages.

    :raises UpstreamError: the catalog is not known yet.
    """
    known = known_by_pypi_name(await context.catalog(), name)
    wanted = normalise_pypi_name(name)
    return known or await _newest(
        context, ("PyPI", wanted), lambda package: pypi_name(package.pypi_url) == wanted
    )


async def package_by_repo_url(context: Context, url: str) -> PackageRecord | None:
    """Return the package with this repository, the oldest if several share it; ``None`` if there is none.

    One that the catalog does not have is looked for among the newest packages, as names on PyPI are.

    :raises UpstreamError: the catalog is not known yet.
    """
    known = known_by_repo_url(await context.catalog(), url)
    wanted = repository(url)
    if known is not None or wanted is None:
        return known
    return await _newest(
        context, ("repository", wanted), lambda package: repository(package.repo_url) == wanted
    )


def known_by_pypi_name(catalog: Catalog, name: str) -> PackageRecord | None:
    """Return the package of the catalog with this name on PyPI, the oldest if several claim it."""
    ids = catalog.pypi_names.get(normalise_pypi_name(name))
    return catalog.packages[ids[0]] if ids else None


def known_by_repo_url(catalog: Catalog, url: str) -> PackageRecord | None:
    """Return the package of the catalog with this repository, the oldest if several share it."""
    ids = catalog.repositories.get(repository(url) or "")
    return catalog.packages[ids[0]] if ids else None


async def _newest(
    context: Context, key: Hashable, is_wanted: Callable[[PackageRecord], bool]
) -> PackageRecord | None:
    """Return the oldest wanted package among the newest ones; ``None`` if there is none, or upstream fails."""
    if context.loaders.catalog is None or context.loaders.as_of is not None:
        return None  # The whole list has just been read, or the present newest records are not asked for.
    context.loaders.check_may_wait()
    may_ask = not context.status.stale and context.source.upstream_answers
    newest = await context.loaders.packages.newest() if may_ask else None
    if newest is None:
        note_not_looked_up(key)  # The catalog does not know it, which is the best answer that there is.
        return None
    return min(filter(is_wanted, newest), key=lambda package: package.id, default=None)


async def each(
    context: Context, field: str, keys: Sequence[K], find: Callable[[K], Awaitable[T]]
) -> list[T | BaseException]:
    """Return for each key, in the order asked, what is found, or the error that it met.

    :raises BadUserInput: there are too many keys.
    """
    check_count(field, keys)
    context.work.spend(LOOKUP * len(keys))
    context.loaders.check_may_wait()
    # They are loaded together, so that live requests are one batch.
    return await asyncio.gather(*map(find, keys), return_exceptions=True)


def check_count(field: str, keys: Sequence[object]) -> None:
    """Check that there are not too many keys.

    :raises BadUserInput: there are.
    """
    if len(keys) > MAX_KEYS:
        raise BadUserInput(f"{field} got {len(keys):,} keys; it can have up to {MAX_KEYS}.")


def check_one_key(field: str, keys: Mapping[str, object]) -> None:
    """Check that exactly one key is given.

    :raises BadUserInput: not exactly one of them is given.
    """
    if list(keys.values()).count(None) != len(keys) - 1:
        given = [name for name, key in keys.items() if key is not None]
        *names, last = keys
        raise BadUserInput(
            f"{field} takes exactly one of {', '.join(names)} and {last}; it got {' and '.join(given) or 'none'}."
        )


def checked_slug(slug: str, argument: str) -> str:
    """Return the slug.

    :raises BadUserInput: it cannot be one.
    """
    if not slug:
        raise BadUserInput(f"{argument} is empty; a slug has 1 to {MAX_SLUG} characters.")
    if len(slug) > MAX_SLUG:
        raise BadUserInput(f"{argument} has {len(slug):,} characters; a slug has 1 to {MAX_SLUG} characters.")
    return slug


def node_id(type_name: str, global_id: str, argument: str) -> int:
    """Return the database id in a Relay global id of this type.

    :raises BadUserInput: it is no global id, or one of another type.
    """
    key = key_in_id(type_name, global_id, argument)
    if not _DATABASE_ID.fullmatch(key):
        raise _no_global_id(argument)
    return int(key)


def key_in_id(type_name: str, global_id: str, argument: str) -> str:
    """Return the key in a Relay global id of this type.

    :raises BadUserInput: it is no global id, or one of another type.
    """
    type_in_id, key = parsed_id(global_id, argument)
    if type_in_id != type_name:
        raise BadUserInput(f"{argument} is the global id of a {type_in_id}, not of a {type_name}.")
    return key


def parsed_id(global_id: str, argument: str) -> tuple[str, str]:
    """Return the name of the type and the key in a Relay global id.

    :raises BadUserInput: it is none.
    """
    if len(global_id) > MAX_GLOBAL_ID:
        raise _no_global_id(argument)
    try:
        parsed = relay.GlobalID.from_id(global_id)
    except ValueError:
        raise _no_global_id(argument) from None
    return parsed.type_name, parsed.node_id


def _no_global_id(argument: str) -> BadUserInput:
    example = relay.to_base64("Package", 1599)
    return BadUserInput(
        f'{argument} is not a global id; a global id looks like "{example}", as in the field id.'
    )
