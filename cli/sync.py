"""Runs the command ``sync``: it crawls once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from cli.arguments import UpstreamFlag, settings_or_stop
from cli.error_exit import stop

if TYPE_CHECKING:
    from catalog.sync import CrawlResult
    from settings import Settings


def sync(
    upstream: UpstreamFlag = None,
    accept: Annotated[
        bool, typer.Option("--accept", help="Accept a catalog that is empty or has lost many packages.")
    ] = False,
) -> None:
    """Crawl the whole catalog now, store it, and show what changed."""
    from catalog.sync import CatalogRefused
    from upstream.client import StorageUnavailable, UpstreamError

    settings = settings_or_stop(upstream=upstream, crawl="off")
    try:
        synced = asyncio.run(_crawl(settings, accept=accept))
    except StorageUnavailable as error:
        stop(str(error))
    except CatalogRefused as error:
        if not error.crawl.is_whole:
            stop(str(error), status=1)
        stop(f"{error} If the new catalog is right, `python server.py catalog accept` accepts it.", status=1)
    except UpstreamError as error:
        stop(f"The crawl failed, and the stored catalog stays: {error.for_operator}", status=1)
    if not synced.stored:
        stop("The catalog was crawled but could not be stored.", status=1)


async def _crawl(settings: Settings, *, accept: bool) -> CrawlResult:
    from cli.sync_progress import show_sync
    from wiring import open_source

    async with open_source(settings) as source:
        return await show_sync(source, accept=accept)
