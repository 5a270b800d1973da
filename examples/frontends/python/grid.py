"""The packages of a grid by a client that ariadne-codegen generates: a method for each operation, typed results.

ariadne-codegen && python grid.py http://127.0.0.1:8000/graphql mail-backends
"""

import asyncio
import sys
from collections.abc import AsyncIterator

from gateway_client import Client
from gateway_client.grid import GridGridPackagesConnectionNodes as Package


async def packages_of(client: Client, slug: str) -> AsyncIterator[Package]:
    """The packages of a grid, the most starred first, as many pages as there are."""
    after = None
    while True:
        grid = (await client.grid(slug=slug, after=after)).grid
        if grid is None or grid.packages_connection is None:
            sys.exit(f"There is no grid {slug}.")
        for package in filter(None, grid.packages_connection.nodes):
            yield package
        page = grid.packages_connection.page_info
        if not page.has_next_page:
            return
        after = page.end_cursor


async def main(url: str, slug: str) -> None:
    """Print each package as a line."""
    async with Client(url=url) as client:
        async for package in packages_of(client, slug):
            release = package.pypi_version or "none"
            print(f"{package.title}: {package.repo_watchers} stars, release {release}")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
