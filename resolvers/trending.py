"""Finds the packages that gained the most stars between two moments."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Generic, TypeVar

import strawberry

from catalog.history import VersionUnknown
from resolvers.client_errors import BadUserInput
from resolvers.lists.pagination import page_size
from resolvers.loading.request_context import Info
from resolvers.record_history import check_moment
from resolvers.work_budget import COUNTED, EXCHANGE
from upstream.client import PackageRecord

TrendSince = Annotated[
    datetime, strawberry.argument(name="since", description="The first of the two moments.")
]
TrendUntil = Annotated[
    datetime | None,
    strawberry.argument(name="until", description="The second moment; now by default."),
]
MostTrending = Annotated[int, strawberry.argument(description="The number of packages, 0 to 100.")]

P = TypeVar("P")


@strawberry.type(description="A package that gained stars between two moments.")
class Trend(Generic[P]):
    """Holds a package and its numbers of stars."""

    package: P = strawberry.field(description="The package.")
    stars_before: int = strawberry.field(description="The number of stars at the first moment.")
    stars_after: int = strawberry.field(description="The number of stars at the second moment.")
    gained: int = strawberry.field(description="The difference.")


async def trending(
    info: Info, since: TrendSince, until: TrendUntil = None, first: MostTrending = 10
) -> list[Trend[PackageRecord]]:
    """Return the packages that gained the most stars, ties by id. One that was added in between is left out.

    :raises BadUserInput: history does not reach so far back, or the moments make no sense.
    :raises TooManyRebuilds: too many versions were compared lately.
    """
    size = page_size("trending", "first", first)
    check_moment("trending(since:)", since)
    check_moment("trending(until:)", until)
    context = info.context
    if context.as_of is not None and (until is None or until > context.as_of):
        until = context.as_of
    if until is not None and until < since:
        raise BadUserInput("trending has until before since.")
    context.work.spend(EXCHANGE)
    packages = (await context.catalog()).packages
    try:
        between = await context.source.history.packages_between(since, until)
    except VersionUnknown as error:
        raise BadUserInput(f"trending: {error}") from None
    context.work.spend(len(between.packages) // COUNTED)
    trends: list[Trend[PackageRecord]] = []
    for delta in between.packages:
        package = packages.get(delta.id)
        before, after = delta.before.get("repo_watchers"), delta.after.get("repo_watchers")
        if package is not None and delta.sort == "changed" and before is not None and after is not None:
            trends.append(
                Trend(package=package, stars_before=before, stars_after=after, gained=after - before)
            )
    trends = [trend for trend in trends if trend.gained > 0]
    trends.sort(key=lambda trend: (-trend.gained, trend.package.id))
    return trends[:size]
