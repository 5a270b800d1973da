"""Looks up many records at once: in the order of the keys, with ``None`` where there is no record."""

from __future__ import annotations

from typing import Annotated

import strawberry

from resolvers.loading.key_lookup import each, lookup, package_by_pypi_name, package_by_repo_url
from resolvers.loading.request_context import Info
from upstream.client import GridRecord, PackageRecord

Ids = Annotated[
    list[strawberry.ID],
    strawberry.argument(description="Global ids from the field `id`, up to 100."),
]
Slugs = Annotated[list[str], strawberry.argument(description="Slugs, case-sensitive, up to 100.")]
PypiNames = Annotated[
    list[str],
    strawberry.argument(description="Names on PyPI, in any spelling that PyPI accepts, up to 100."),
]
RepoUrls = Annotated[
    list[str],
    strawberry.argument(description="Addresses of repositories, in any spelling, up to 100."),
]

Found = list[PackageRecord | BaseException | None]


async def packages_by_id(info: Info, ids: Ids) -> Found:
    """Return packages by their global ids."""
    loader = info.context.loaders.packages
    return await each(
        info.context,
        "packagesById",
        ids,
        lambda id: lookup(loader, "Package", id=id, database_id=None, slug=None),
    )


async def packages_by_slug(info: Info, slugs: Slugs) -> Found:
    """Return packages by their slugs."""
    return await each(info.context, "packagesBySlug", slugs, info.context.loaders.packages.by_slug)


async def packages_by_pypi_name(info: Info, names: PypiNames) -> Found:
    """Return packages by their names on PyPI."""
    return await each(
        info.context, "packagesByPypiName", names, lambda name: package_by_pypi_name(info.context, name)
    )


async def packages_by_repo_url(info: Info, urls: RepoUrls) -> Found:
    """Return packages by the addresses of their repositories."""
    return await each(
        info.context, "packagesByRepoUrl", urls, lambda url: package_by_repo_url(info.context, url)
    )


async def grids_by_id(info: Info, ids: Ids) -> list[GridRecord | BaseException | None]:
    """Return grids by their global ids."""
    loader = info.context.loaders.grids
    return await each(
        info.context, "gridsById", ids, lambda id: lookup(loader, "Grid", id=id, database_id=None, slug=None)
    )


async def grids_by_slug(info: Info, slugs: Slugs) -> list[GridRecord | BaseException | None]:
    """Return grids by their slugs."""
    return await each(info.context, "gridsBySlug", slugs, info.context.loaders.grids.by_slug)
