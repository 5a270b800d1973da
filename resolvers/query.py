"""Resolves the root fields. Their arguments are described here, where they are read."""

from __future__ import annotations

from catalog import SnapshotStatus
from resolvers.lists.list_arguments import (
    After,
    Before,
    DatabaseId,
    First,
    GlobalId,
    GridFilterArgument,
    GridOrderArgument,
    Last,
    PackageFilterArgument,
    PackageOrderArgument,
    PypiName,
    RepoUrl,
    Slug,
)
from resolvers.lists.pagination import Paging
from resolvers.lists.record_lists import RecordConnection, all_grids, all_packages
from resolvers.loading.key_lookup import check_one_key, lookup, package_by_pypi_name, package_by_repo_url
from resolvers.loading.request_context import Info
from resolvers.one_of_key_inputs import ByCategoryKey, ByGridKey, ByPackageKey, given
from upstream.client import CategoryRecord, GridRecord, PackageRecord


async def package(
    info: Info,
    id: GlobalId = None,
    database_id: DatabaseId = None,
    slug: Slug = None,
    pypi_name: PypiName = None,
    repo_url: RepoUrl = None,
    by: ByPackageKey = None,
) -> PackageRecord | None:
    """Return one package by one key."""
    check_one_key(
        "package",
        {
            "id": id,
            "databaseId": database_id,
            "slug": slug,
            "pypiName": pypi_name,
            "repoUrl": repo_url,
            "by": by,
        },
    )
    if by is not None:
        return await package(info, **given(by))
    if pypi_name is not None:
        return await package_by_pypi_name(info.context, pypi_name)
    if repo_url is not None:
        return await package_by_repo_url(info.context, repo_url)
    return await lookup(info.context.loaders.packages, "Package", id=id, database_id=database_id, slug=slug)


async def grid(
    info: Info,
    id: GlobalId = None,
    database_id: DatabaseId = None,
    slug: Slug = None,
    by: ByGridKey = None,
) -> GridRecord | None:
    """Return one grid by one key."""
    check_one_key("grid", {"id": id, "databaseId": database_id, "slug": slug, "by": by})
    if by is not None:
        return await grid(info, **given(by))
    return await lookup(info.context.loaders.grids, "Grid", id=id, database_id=database_id, slug=slug)


async def category(
    info: Info,
    id: GlobalId = None,
    database_id: DatabaseId = None,
    slug: Slug = None,
    by: ByCategoryKey = None,
) -> CategoryRecord | None:
    """Return one category by one key."""
    check_one_key("category", {"id": id, "databaseId": database_id, "slug": slug, "by": by})
    if by is not None:
        return await category(info, **given(by))
    return await lookup(
        info.context.loaders.categories, "Category", id=id, database_id=database_id, slug=slug
    )


async def categories(info: Info) -> list[CategoryRecord]:
    """Return all categories, by id."""
    return await info.context.loaders.categories.all()


async def packages(
    info: Info,
    filter: PackageFilterArgument = None,
    order_by: PackageOrderArgument = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> RecordConnection[PackageRecord]:
    """Return a part of all packages."""
    return await all_packages(info.context, Paging("packages", first, after, last, before), filter, order_by)


async def grids(
    info: Info,
    filter: GridFilterArgument = None,
    order_by: GridOrderArgument = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> RecordConnection[GridRecord]:
    """Return a part of all grids."""
    return await all_grids(info.context, Paging("grids", first, after, last, before), filter, order_by)


def catalog(info: Info) -> SnapshotStatus:
    """Return the state of the catalog that this request is answered from."""
    return info.context.status
