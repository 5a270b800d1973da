"""Gives the earlier values of the fields of a package or grid, as far as the history of the catalog reaches."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from catalog.history import ChangeFilter
from resolvers.client_errors import BadUserInput
from resolvers.field_names import graph_name, v4_names
from resolvers.loading.history_loader import HistoryKey
from resolvers.loading.request_context import Info
from resolvers.work_budget import EXCHANGE, LOOKUP
from upstream.client import GRID, PACKAGE, GridRecord, PackageRecord

MAX_CHANGES = 1000
"""The most changes of one record that are returned. With one change a day they cover nearly three years."""

READ = 4
"""The steps of one stored change that may have to be read."""

HistorySince = Annotated[
    datetime | None,
    strawberry.argument(
        name="since", description="Only the changes that were noticed at or after this time."
    ),
]
HistoryFields = Annotated[
    list[str] | None,
    strawberry.argument(
        description='Only the changes of these fields, by their names in this graph, such as "stars".'
    ),
]
LastChanges = Annotated[
    int,
    strawberry.argument(description="The number of changes, the newest ones: 0 to 1000."),
]


@strawberry.type(description="A new value of one field of a package or grid.")
class RecordedChange:
    """Holds the values of one field before and after a crawl."""

    at: datetime = strawberry.field(description="When the gateway noticed the new value.")
    field: str = strawberry.field(
        description="The name of the field in this graph. `category`, `grids` and `packages` are databaseIds."
    )
    from_: JSON | None = strawberry.field(name="from", description="The value before, as JSON.")
    to: JSON | None = strawberry.field(description="The value after, as JSON.")


async def package_history(
    root: PackageRecord,
    info: Info,
    since: HistorySince = None,
    fields: HistoryFields = None,
    last: LastChanges = 100,
) -> list[RecordedChange]:
    """Return the earlier values of the fields of a package, oldest first."""
    return await _history(root, info, PACKAGE.singular, since, fields, last)


async def grid_history(
    root: GridRecord,
    info: Info,
    since: HistorySince = None,
    fields: HistoryFields = None,
    last: LastChanges = 100,
) -> list[RecordedChange]:
    """Return the earlier values of the fields of a grid, oldest first."""
    return await _history(root, info, GRID.singular, since, fields, last)


async def history_since(info: Info) -> datetime | None:
    """Return when the history of the catalog begins."""
    info.context.work.spend(EXCHANGE)
    return await info.context.source.history.begins()


def check_moment(argument: str, moment: datetime | None) -> None:
    """Check a moment that a client gave.

    :raises BadUserInput: nobody knows which it is, because it has no offset; or UTC has no such year.
    """
    if moment is None:
        return
    if moment.tzinfo is None:
        raise BadUserInput(
            f'{argument} is the time {moment.isoformat()} without an offset; add one, like "Z".'
        )
    try:
        moment.astimezone(UTC)
    except OverflowError:
        raise BadUserInput(f"{argument} is no moment of the years 1 to 9999 in UTC.") from None


async def _history(
    root: PackageRecord | GridRecord,
    info: Info,
    kind: str,
    since: datetime | None,
    fields: list[str] | None,
    last: int,
) -> list[RecordedChange]:
    check_moment("history(since:)", since)
    if not 0 <= last <= MAX_CHANGES:
        raise BadUserInput(f"history(last:) is {last}; it can be 0 to {MAX_CHANGES:,}.")
    wanted = root.__struct_fields__ if fields is None else v4_names("history(fields:)", fields, type(root))
    context = info.context
    context.work.spend(EXCHANGE)
    if not last:
        return []
    context.work.spend(READ * last)
    changes_wanted = ChangeFilter(since, most=last, fields=frozenset(wanted))
    changes = await context.history.load(HistoryKey(kind, root.id, changes_wanted))
    context.work.spend(LOOKUP * len(changes))
    found: Iterable[RecordedChange] = (
        RecordedChange(at=change.at, field=graph_name(field.name), from_=field.old, to=field.new)
        for change in changes
        for field in change.delta.fields
        if field.name in wanted
    )
    return list(found)[-last:]
