"""Resolves the fields of a contributor. All of them need the whole catalog."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Generic, TypeVar

import strawberry

from catalog import (
    ContributorRecord,
    co_contributors,
    contributor_table,
    contributors,
    shared_participations,
)
from resolvers.lists.list_arguments import (
    After,
    Before,
    First,
    Last,
    PackageFilterArgument,
    PackageOrderArgument,
)
from resolvers.lists.page_cache import ALL, contributor_pages
from resolvers.lists.pagination import Connection, Paging, page_size
from resolvers.lists.record_lists import packages_of
from resolvers.lists.sort_orders import ContributorOrder
from resolvers.loading.request_context import Context, Info
from resolvers.work_budget import SHARED
from upstream.client import CategoryRecord, PackageRecord

Login = Annotated[
    str, strawberry.argument(description="The login at the repository's host, regardless of case.")
]
Most = Annotated[int, strawberry.argument(description="The number of items, 0 to 100.")]


ContributorOrderArgument = Annotated[
    ContributorOrder,
    strawberry.argument(description="The sort order. By default the most packages come first."),
]


C = TypeVar("C")


@strawberry.type(description="A category and the number of packages in it.")
class CategoryCount(Generic[C]):
    """Counts a contributor's packages in a category."""

    category: C = strawberry.field(description="The category.")
    package_count: int = strawberry.field(description="The number of packages in the category.")


@strawberry.type(description="A person who contributed to the same packages as another one.")
class CoContributor(Generic[C]):
    """Counts the packages to which two people contributed."""

    contributor: C = strawberry.field(description="The person.")
    shared_package_count: int = strawberry.field(
        description="The number of packages that both contributed to."
    )


async def contributor(info: Info, login: Login) -> ContributorRecord | None:
    """Return one contributor."""
    return await contributor_by_login(info.context, login)


async def contributor_by_login(context: Context, login: str) -> ContributorRecord | None:
    """Return the contributor with this login in any case, or ``None`` if there is none.

    :raises UpstreamError: the catalog is not known yet.
    """
    return (await context.catalog()).view(contributors).get(login.casefold())


async def all_contributors(
    info: Info,
    order_by: ContributorOrderArgument = ContributorOrder.PACKAGE_COUNT_DESC,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[ContributorRecord]:
    """Return a part of all contributors."""
    order = order_by.order
    paging = Paging("contributors", first, after, last, before)
    if info.context.loaders.catalog is None:
        paging.span(order)  # what makes no sense does not wait for a catalog
    catalog = await info.context.catalog()
    pages, table = catalog.view(contributor_pages), catalog.view(contributor_table)
    return pages.page(pages.span(paging, order), order, ALL, lambda: table.ids(order))


async def contributors_of(root: PackageRecord, info: Info) -> list[ContributorRecord]:
    """Return the contributors of a package, in its order."""
    info.context.work.spend(len(root.participants))
    known = (await info.context.catalog()).view(contributors)
    # A package that the catalog does not have can name someone who is new.
    return [
        known.get(login.casefold()) or ContributorRecord(login, (root.id,)) for login in root.participants
    ]


def package_count(root: ContributorRecord) -> int:
    """Return the number of packages that the person contributed to."""
    return len(root.packages)


async def packages(
    root: ContributorRecord,
    info: Info,
    filter: PackageFilterArgument = None,
    order_by: PackageOrderArgument = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[PackageRecord]:
    """Return a part of the packages they contributed to."""
    paging = Paging("packages", first, after, last, before)
    return packages_of(info.context, await info.context.catalog(), paging, root.packages, filter, order_by)


async def categories(root: ContributorRecord, info: Info) -> list[CategoryCount[CategoryRecord]]:
    """Return the categories of their packages, the most packages first, then by id."""
    info.context.work.spend(len(root.packages))
    catalog = await info.context.catalog()
    known = (catalog.packages.get(id) for id in root.packages)
    counts = Counter(package.category for package in known if package is not None)
    return [
        CategoryCount(category=catalog.categories[id], package_count=counts[id])
        for id in sorted(counts, key=lambda id: (-counts[id], id))
        if id in catalog.categories
    ]


async def co_contributors_of(
    root: ContributorRecord, info: Info, first: Most = 10
) -> list[CoContributor[ContributorRecord]]:
    """Return those who contributed to the same packages."""
    size = page_size("coContributors", "first", first)
    catalog = await info.context.catalog()
    info.context.work.spend(shared_participations(catalog, root) // SHARED + 2 * size)
    return [
        CoContributor(contributor=contributor, shared_package_count=count)
        for contributor, count in co_contributors(catalog, root, size)
    ]
