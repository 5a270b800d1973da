"""The service of releases.js in Python, with Strawberry: releases on PyPI, by a package's name there.

The gateway's own environment runs it: ``python examples/supergraph/subgraphs/releases.py`` serves port 4001.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import strawberry
import uvicorn
from starlette.applications import Starlette
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader

RELEASES: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("releases.json").read_text(encoding="utf-8")
)
First = Annotated[int, strawberry.argument(description="The number of releases.")]


async def read_releases(names: list[str]) -> list[list[Release] | None]:
    """Return the releases of each name. A real service would ask its database once for all names."""
    print(f"read the releases of {len(names)} packages")
    return [[Release.of(each) for each in RELEASES if each["pypiName"] == name] or None for name in names]


async def releases_of(root: Package, info: strawberry.Info, first: First = 3) -> list[Release] | None:
    """Return the releases of a package, newest first."""
    found: list[Release] | None = await info.context["releases"].load(root.pypi_name)
    return found and found[:first]


class Service(GraphQL[dict[str, Any], None]):
    """Serves the schema; each request has a loader of its own."""

    async def get_context(self, *_: Any, **__: Any) -> dict[str, Any]:
        """Return the loader of one request."""
        return {"releases": DataLoader(read_releases)}


@strawberry.type(description="A version of a package on PyPI.")
class Release:
    """A release, with its packages as keys."""

    version: str = strawberry.field(description="The number of the version.")
    date: str = strawberry.field(description="The day of the upload, like 2026-01-31.")
    requires_python: str | None = strawberry.field(description="The versions of Python that it runs on.")
    requires: list[Package | None] = strawberry.field(description="The packages that it needs.")
    package: Package | None = strawberry.field(description="The package that it is a version of.")

    @classmethod
    def of(cls, row: dict[str, Any]) -> Release:
        """Refer to packages by their keys alone: the catalog has the rest."""
        return cls(
            version=row["version"],
            date=row["date"],
            requires_python=row["requiresPython"],
            requires=[Package(pypi_name=name) for name in row["requires"]],
            package=Package(pypi_name=row["pypiName"]),
        )


@strawberry.federation.type(keys=["pypiName"])
class Package:
    """What this team knows of a package that another team serves."""

    pypi_name: str | None
    releases: list[Release] | None = strawberry.field(
        resolver=releases_of, description="Its releases, newest first. Null if it is not on PyPI."
    )

    @classmethod
    def resolve_reference(cls, pypiName: Any) -> Package | None:
        """Return the package with this key, which Strawberry hands over under its name in GraphQL."""
        # The key is null for a package that is not on PyPI, and some gateways send an error in its place.
        return cls(pypi_name=pypiName) if isinstance(pypiName, str) else None


def latest_releases(first: First = 5) -> list[Release]:
    """Return the newest releases of all packages."""
    return [Release.of(each) for each in RELEASES[:first]]


@strawberry.type
class Query:
    """The root of the schema."""

    latest_releases: list[Release] = strawberry.field(
        resolver=latest_releases, description="The newest releases of all packages, newest first."
    )


# Composers of every age read a schema that links the lowest version of Federation that it needs.
schema = strawberry.federation.Schema(Query, federation_version="2.0")
app = Starlette()
app.mount("/graphql", Service(schema))

if __name__ == "__main__":
    uvicorn.run(app, port=4001)
