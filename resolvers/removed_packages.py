"""Lists the packages that Django Packages had and has no longer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Generic, NamedTuple, TypeVar

import msgspec
import strawberry

from catalog.history import HistoryDamaged, VersionDelta
from resolvers.client_errors import BadUserInput
from resolvers.cursor_codec import LAYOUT, Layout, NotACursor, decoded, encoded
from resolvers.lists.pagination import PageInfo, page_size
from resolvers.loading.request_context import Info
from resolvers.record_history import check_moment
from resolvers.work_budget import COUNTED, EXCHANGE
from upstream.client import PackageRecord

_MAX_CURSOR = 200

RemovedSince = Annotated[
    datetime | None,
    strawberry.argument(
        name="since", description="Only those that were removed at or after this time; all by default."
    ),
]
FirstRemoved = Annotated[
    int | None,
    strawberry.argument(
        description="The number of packages from the start, or after `after`: 0 to 100, 20 by default."
    ),
]
AfterRemoved = Annotated[str | None, strawberry.argument(description="The list continues after this cursor.")]

P = TypeVar("P")


@strawberry.type(description="A package that Django Packages had and no longer has.")
class RemovedPackage(Generic[P]):
    """Holds a package as it was last known."""

    cursor: str = strawberry.field(description="The position in the list, for `after`.")
    at: datetime = strawberry.field(description="When the gateway noticed that it was gone.")
    package: P = strawberry.field(description="The package as it was last known.")


@strawberry.type(description="A page of the removed packages, the last removed first.")
class RemovedPackages(Generic[P]):
    """Holds a part of the list."""

    nodes: list[RemovedPackage[P]] = strawberry.field(description="The packages on this page.")
    page_info: PageInfo = strawberry.field(description="Whether there are more, and the cursors.")
    total_count: int = strawberry.field(description="The number of removed packages, on all pages.")


class _Position(NamedTuple):
    layout: Layout
    version: int
    id: int


async def removed_packages(
    info: Info, since: RemovedSince = None, first: FirstRemoved = None, after: AfterRemoved = None
) -> RemovedPackages[PackageRecord]:
    """Return a page of the packages that are gone, the last ones first. One that came back is left out."""
    size = page_size("removedPackages", "first", first)
    check_moment("removedPackages(since:)", since)
    behind = None if after is None else _read(after)
    context = info.context
    context.work.spend(EXCHANGE)
    known = (await context.catalog()).packages
    removals = await context.source.history.removed_packages(since, context.as_of)
    context.work.spend(len(removals) // COUNTED)
    # A package may have been removed several times. The last time counts.
    last = {removal.delta.id: removal for removal in removals if removal.delta.id not in known}
    every = sorted(last.values(), key=_order, reverse=True)
    rest = every if behind is None else [each for each in every if _order(each) < behind]
    nodes = [_removed(each) for each in rest[:size]]
    page_info = PageInfo(
        has_next_page=len(rest) > size,
        has_previous_page=len(rest) < len(every),
        start_cursor=nodes[0].cursor if nodes else None,
        end_cursor=nodes[-1].cursor if nodes else None,
    )
    return RemovedPackages(nodes=nodes, page_info=page_info, total_count=len(every))


def _order(removal: VersionDelta) -> tuple[int, int]:
    return removal.number, removal.delta.id


def _removed(removal: VersionDelta) -> RemovedPackage[PackageRecord]:
    try:
        package = msgspec.convert(removal.delta.before, PackageRecord)
    except msgspec.ValidationError as error:
        raise HistoryDamaged(
            f"The package {removal.delta.id}, which version {removal.number} removed, is damaged in the history of "
            f"the catalog: {error}."
        ) from error
    return RemovedPackage(
        cursor=encoded(_Position(LAYOUT, *_order(removal))),
        at=removal.at,
        package=package,
    )


def _read(cursor: str) -> tuple[int, int]:
    try:
        _, version, id = decoded(cursor, _Position, _MAX_CURSOR)
    except NotACursor:
        raise BadUserInput(
            "removedPackages(after:) is not a cursor of this list; take one from pageInfo or a node."
        ) from None
    return version, id
