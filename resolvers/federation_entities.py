"""Resolves the records that other graphs refer to: ``_entities`` of Apollo Federation, one batch for each type and
key.

If a catalog is known, it alone answers, so that references by other graphs cost upstream nothing: a key that it does
not know has no record. Without a catalog, ids and slugs are requested live, together. More than a hundred slugs of a
type, and all other keys, wait for the catalog.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Annotated, Any, TypeAlias

import strawberry
from strawberry.federation.schema import FederationAny

from catalog import Catalog, ContributorRecord, normalise_pypi_name, repository
from resolvers.client_errors import BadUserInput
from resolvers.contributor import contributor_by_login
from resolvers.loading.category_loader import CategoryLoader
from resolvers.loading.key_lookup import (
    MAX_KEYS,
    checked_slug,
    key_in_id,
    known_by_pypi_name,
    known_by_repo_url,
    node_id,
)
from resolvers.loading.record_loaders import RecordLoader
from resolvers.loading.request_context import Context, Info
from resolvers.loading.request_loaders import Loaders
from resolvers.work_budget import LOOKUP
from upstream.client import Record, note_from_memory

Representations = Annotated[
    list[FederationAny],
    strawberry.argument(
        description=(
            "References to records: objects with `__typename` and the field of one of the type's keys, such as "
            '`{"__typename": "Package", "pypiName": "django-allauth"}`; up to 1000, if the operator set no other '
            "number."
        )
    ),
]

Found: TypeAlias = Record | ContributorRecord | BaseException | None
"""A record, ``None`` if there is none, or the error that says why that is not known."""


async def entities(info: Info, representations: Representations) -> list[Found]:
    """Return for each representation, in the order asked, the record, ``None``, or what is wrong with it.

    :raises Forbidden: the request does not come from the router.
    :raises TooComplex: it has too many representations.
    """
    context = info.context
    context.entities.spend(len(representations))
    context.work.spend(LOOKUP * len(representations))
    found: list[Found] = [None] * len(representations)
    batches: dict[_EntityKey, dict[Any, list[int]]] = {}
    for place, representation in enumerate(representations):
        try:
            key, value = _read(representation, f"representation {place} of _entities")
        except BadUserInput as error:
            found[place] = error
        else:
            batches.setdefault(key, {}).setdefault(value, []).append(place)
    context.loaders.check_may_wait()
    # They are loaded together, so that live requests are planned together too.
    answers = await asyncio.gather(*(_batch(context, *batch) for batch in batches.items()))
    for same, answer in zip(batches.values(), answers, strict=True):
        for places, record in zip(same.values(), answer, strict=True):
            for place in places:
                found[place] = record
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _EntityKey:
    """Describes a field by which other graphs name a record."""

    read: Callable[[Any, str], Any]
    """Reads a key from JSON and normalises it. The second argument names its location in messages."""
    find: Callable[[Context, Sequence[Any]], Awaitable[Sequence[Found]]]
    """Finds the records of distinct keys, in their order."""


async def _batch(context: Context, key: _EntityKey, values: Iterable[Any]) -> Sequence[Found]:
    wanted = list(values)
    try:
        return await key.find(context, wanted)
    except Exception as error:
        # An error, such as that there is no catalog yet, belongs to these alone.
        return [error] * len(wanted)


def _read(representation: Any, where: str) -> tuple[_EntityKey, Any]:
    if not isinstance(representation, dict):
        raise BadUserInput(f"{where.capitalize()} is no object.")
    type_name = representation.get("__typename")
    keys = KEYS.get(type_name) if isinstance(type_name, str) else None
    if keys is None:
        raise BadUserInput(f"The __typename of {where} can be {_any_of(KEYS)}.")
    for name, key in keys.items():
        value = representation.get(name)
        if value is not None:
            return key, key.read(value, f"The {name} of {where}")
    raise BadUserInput(f"{where.capitalize()} has no key of a {type_name}; it can have {_any_of(keys)}.")


# How values are read


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise BadUserInput(f"{where} is no string.")
    return value


def _number(value: Any, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadUserInput(f"{where} is no integer.")
    return value


def _id_of(type_name: str) -> Callable[[Any, str], int]:
    return lambda value, where: node_id(type_name, _text(value, where), where)


def _slug(value: Any, where: str) -> str:
    return checked_slug(_text(value, where), where)


def _pypi_name(value: Any, where: str) -> str:
    return normalise_pypi_name(_text(value, where))


def _repository(value: Any, where: str) -> str:
    return repository(_text(value, where)) or ""


def _login(value: Any, where: str) -> str:
    return _text(value, where).casefold()


def _login_in_id(value: Any, where: str) -> str:
    return key_in_id("Contributor", _text(value, where), where).casefold()


# How records are found


@dataclass(frozen=True, slots=True)
class _EntityKind:
    """Says where the records of a type are."""

    loader: Callable[[Loaders], RecordLoader[Any] | CategoryLoader]
    records: Callable[[Catalog], Mapping[int, Record]]
    slugs: Callable[[Catalog], Mapping[str, int]]

    async def by_id(self, context: Context, ids: Sequence[int]) -> Sequence[Found]:
        catalog = context.loaders.catalog
        if catalog is None:
            loader = self.loader(context.loaders)
            return await asyncio.gather(*map(loader.by_id, ids), return_exceptions=True)
        return _noted([self.records(catalog).get(id) for id in ids])

    async def by_slug(self, context: Context, slugs: Sequence[str]) -> Sequence[Found]:
        catalog = context.loaders.catalog
        if catalog is None and len(slugs) <= MAX_KEYS:
            loader = self.loader(context.loaders)
            return await asyncio.gather(*map(loader.by_slug, slugs), return_exceptions=True)
        # Upstream is asked for slugs one by one, so many slugs wait for the catalog.
        catalog = catalog or await context.catalog()
        records, ids = self.records(catalog), self.slugs(catalog)
        return _noted([records[ids[slug]] if slug in ids else None for slug in slugs])


def _noted(found: Sequence[Found]) -> Sequence[Found]:
    note_from_memory(len(found) - found.count(None))
    return found


async def _by_pypi_name(context: Context, names: Sequence[str]) -> Sequence[Found]:
    return [known_by_pypi_name(await context.catalog(), name) for name in names]


async def _by_repository(context: Context, addresses: Sequence[str]) -> Sequence[Found]:
    return [known_by_repo_url(await context.catalog(), address) for address in addresses]


async def _by_login(context: Context, logins: Sequence[str]) -> Sequence[Found]:
    return [await contributor_by_login(context, login) for login in logins]


_PACKAGES = _EntityKind(lambda loaders: loaders.packages, attrgetter("packages"), attrgetter("package_slugs"))
_GRIDS = _EntityKind(lambda loaders: loaders.grids, attrgetter("grids"), attrgetter("grid_slugs"))
_CATEGORIES = _EntityKind(
    lambda loaders: loaders.categories, attrgetter("categories"), attrgetter("category_slugs")
)

KEYS: Mapping[str, Mapping[str, _EntityKey]] = {
    "Package": {
        "id": _EntityKey(_id_of("Package"), _PACKAGES.by_id),
        "databaseId": _EntityKey(_number, _PACKAGES.by_id),
        "slug": _EntityKey(_slug, _PACKAGES.by_slug),
        "pypiName": _EntityKey(_pypi_name, _by_pypi_name),
        "repoUrl": _EntityKey(_repository, _by_repository),
    },
    "Grid": {
        "id": _EntityKey(_id_of("Grid"), _GRIDS.by_id),
        "databaseId": _EntityKey(_number, _GRIDS.by_id),
        "slug": _EntityKey(_slug, _GRIDS.by_slug),
    },
    "Category": {
        "id": _EntityKey(_id_of("Category"), _CATEGORIES.by_id),
        "databaseId": _EntityKey(_number, _CATEGORIES.by_id),
        "slug": _EntityKey(_slug, _CATEGORIES.by_slug),
    },
    "Contributor": {
        "id": _EntityKey(_login_in_id, _by_login),
        "login": _EntityKey(_login, _by_login),
    },
}
"""The keys by type and field. If a representation has several, the first one here counts."""


def _any_of(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}"
