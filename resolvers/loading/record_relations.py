"""Declares relations from one record to others, once for both ways to run an operation.

``schema`` gives a declaration's ``resolve`` to Strawberry, which calls it for each record. The engine finds the
declaration behind it, a relation of ``engine.relation_protocols``, and asks it once with all records at one point of an
operation. Both find the same: records in the catalog without waiting, and the others together from the loaders of the
request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import attrgetter
from typing import Any, Generic, Protocol, TypeAlias

from catalog import Catalog, title_order
from engine import ListsByKey
from resolvers.loading.relation_order import by_title
from resolvers.loading.request_context import Context, Info
from resolvers.loading.request_loaders import Loaders
from upstream.client import R, UpstreamBadData

Found: TypeAlias = R | BaseException
"""A record, or the error of its load."""


class RelationLoader(Protocol[R]):
    """Declares what a relation needs of the loader of the records that it leads to."""

    @property
    def known(self) -> Mapping[int, R]: ...  # noqa: D102

    async def by_id(self, id: int) -> R | None: ...  # noqa: D102

    async def by_ids(self, ids: Sequence[int]) -> list[R | BaseException | None]: ...  # noqa: D102


Index: TypeAlias = tuple[Mapping[int, Any], Mapping[int, Sequence[int]]]
"""The records that have a relation, and for each the ids of all others that the catalog knows, in order."""

_NO_INDEX: Index = ({}, {})


@dataclass(frozen=True, slots=True)
class ToOne(Generic[R]):
    """Relates a record to the one whose id is in the field ``key``."""

    key: str
    record_class: type[R]
    loader: Callable[[Loaders], RelationLoader[R]]
    _key_of: Callable[[Any], int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_key_of", attrgetter(self.key))

    async def resolve(self, root: Any, info: Info) -> R:
        """Return the record that ``root`` names.

        :raises UpstreamError: it could not be loaded, or there is none.
        """
        found = await self.loader(info.context.loaders).by_id(getattr(root, self.key))
        if found is None:
            raise self._lost(root)
        return found

    def known(self, roots: Sequence[Any], context: Context) -> dict[int, R] | None:
        """Return what ``roots`` are related to, by their keys, if the catalog knows it all."""
        known, wanted = self.loader(context.loaders).known, set(map(self._key_of, roots))
        try:
            return dict(zip(wanted, map(known.__getitem__, wanted), strict=True))
        except KeyError:
            return None

    async def load(self, roots: Sequence[Any], context: Context) -> list[Found[R]]:
        """Load what each of ``roots`` is related to. A record that does not exist is an error, because it is named."""
        found = await self.loader(context.loaders).by_ids(list(map(self._key_of, roots)))
        return [self._lost(root) if item is None else item for root, item in zip(roots, found, strict=True)]

    def _lost(self, root: Any) -> UpstreamBadData:
        return UpstreamBadData(
            f"Upstream names {self.key} {self._key_of(root)} for record {root.id}, but has no such {self.key}."
        )


@dataclass(frozen=True, slots=True)
class ToMany(Generic[R]):
    """Relates a record to those whose ids are in the field ``keys``, by title."""

    keys: str
    record_class: type[R]
    loader: Callable[[Loaders], RelationLoader[R]]
    index: Callable[[Catalog], Index] | None = None
    """Finds the relation in the catalog, where it is sorted already."""

    async def resolve(self, root: Any, info: Info) -> list[Found[R]]:
        """Return the records that ``root`` names, without those that are gone; an item that failed is its error."""
        ids = sorted(getattr(root, self.keys))
        info.context.work.spend(len(ids))
        return by_title(await self.loader(info.context.loaders).by_ids(ids))

    def known(self, roots: Sequence[Any], context: Context) -> ListsByKey[R] | None:
        """Return what ``roots`` are related to if the catalog knows it all. The engine counts the work."""
        catalog, known = context.loaders.catalog, self.loader(context.loaders).known
        owners, ordered = self.index(catalog) if self.index and catalog else _NO_INDEX
        lists: list[Sequence[int]] = []
        for root in roots:
            ids = getattr(root, self.keys)
            # A record that was loaded live differs from the indexed one.
            id = root.id
            if owners.get(id) is root and len(ordered[id]) == len(ids):
                lists.append(ordered[id])
                continue
            if not all(map(known.__contains__, ids)):
                return None
            lists.append(sorted(ids, key=lambda id: title_order(known[id])) if len(ids) > 1 else ids)
        keys = lists[0] if len(lists) == 1 else list(chain.from_iterable(lists))
        return ListsByKey(lists, len(keys), dict(zip(keys, map(known.__getitem__, keys), strict=True)))

    async def load(self, roots: Sequence[Any], context: Context) -> list[list[Found[R]]]:
        """Load a list for each of ``roots``."""
        lists = [sorted(getattr(root, self.keys)) for root in roots]
        ids = list(chain.from_iterable(lists))
        context.work.spend(len(ids))
        loaded = iter(await self.loader(context.loaders).by_ids(ids))
        return [by_title([next(loaded) for _ in each]) for each in lists]
