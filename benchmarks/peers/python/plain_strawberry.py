"""The gateway that everyone writes first: Strawberry, httpx, and a DataLoader that does one GET for each key."""

from __future__ import annotations

import asyncio
import os
from typing import Any, TypeVar

import httpx
import strawberry
from aiodataloader import DataLoader
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL

T = TypeVar("T")

# The default time limits of 5 s fail some of the larger queries under load.
client = httpx.AsyncClient(base_url=os.environ["UPSTREAM"], timeout=60)


async def read(path: str) -> Any:
    """The JSON at a path of the v4 API; None if there is nothing."""
    answer = await client.get(path)
    if answer.status_code == 404:
        return None
    answer.raise_for_status()
    return answer.json()


async def read_each(paths: list[str]) -> list[Any]:
    """The batch function of the loader."""
    return await asyncio.gather(*map(read, paths))


def path_of(link: str) -> str:
    """The path of a record, from its link."""
    return link.partition("/api/v4")[2]


@strawberry.type
class Category:
    """A category."""

    id: int
    title: str
    slug: str
    description: str
    title_plural: str
    show_pypi: bool
    created: str
    modified: str


@strawberry.type
class Grid:
    """A grid."""

    id: int
    title: str
    slug: str
    description: str
    is_locked: bool
    header: bool
    created: str
    modified: str
    package_links: strawberry.Private[list[str]]

    @strawberry.field
    async def packages(self, info: strawberry.Info) -> list[Package]:
        """Its packages."""
        rows = await info.context["records"].load_many([path_of(link) for link in self.package_links])
        return [package(row) for row in rows]


@strawberry.type
class Package:
    """A package."""

    id: int
    title: str
    slug: str
    last_updated: str | None
    last_fetched: str | None
    repo_url: str
    pypi_version: str | None
    created: str
    modified: str
    repo_forks: int
    repo_description: str
    pypi_url: str | None
    documentation_url: str | None
    repo_watchers: int
    commits_over_52: list[int | None] | None
    participants: list[str]
    category_link: strawberry.Private[str]
    grid_links: strawberry.Private[list[str]]

    @strawberry.field
    async def category(self, info: strawberry.Info) -> Category:
        """Its category."""
        return of(Category, await info.context["records"].load(path_of(self.category_link)))

    @strawberry.field
    async def grids(self, info: strawberry.Info) -> list[Grid]:
        """Its grids."""
        rows = await info.context["records"].load_many([path_of(link) for link in self.grid_links])
        return [of(Grid, row, package_links=row["packages"]) for row in rows]


def package(row: dict[str, Any]) -> Package:
    """The package in a row."""
    return of(Package, row, category_link=row["category"], grid_links=row["grids"])


def of(kind: type[T], row: dict[str, Any], **links: object) -> T:
    """The object of a row, with what its fields do not name left out."""
    return kind(**{name: row[name] for name in kind.__annotations__ if name not in links} | links)


@strawberry.type
class Query:
    """What can be asked."""

    @strawberry.field
    async def package(self, info: strawberry.Info, id: int) -> Package | None:
        """One package."""
        row = await info.context["records"].load(f"/packages/{id}/")
        return package(row) if row else None

    @strawberry.field
    async def packages(self, limit: int, offset: int) -> list[Package]:
        """A page of packages."""
        page = await read(f"/packages/?limit={limit}&offset={offset}")
        return [package(row) for row in page["results"]]


class Endpoint(GraphQL[dict[str, Any], None]):
    """Strawberry's endpoint, with a loader for each request."""

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> dict[str, Any]:
        """What the resolvers share."""
        return {"records": DataLoader(read_each)}


app = Starlette(routes=[Route("/graphql", Endpoint(strawberry.Schema(Query), graphql_ide=None))])
