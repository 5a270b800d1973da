"""Runs the command ``catalog``: it shows the stored versions and their differences, and chooses the one that is
served."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from cli.arguments import UpstreamFlag, settings_or_stop
from cli.error_exit import stop

if TYPE_CHECKING:
    from catalog.history import CatalogVersion
    from catalog.storage import StoragePort

catalog = typer.Typer(
    help="Show the versions of the stored catalog, compare them, choose which is served, and accept a refused crawl."
)

LISTED = 20
"""Versions that are listed unless more are asked for."""

VersionArgument = Annotated[str, typer.Argument(help="A version, or the beginning of one that no other has.")]


@catalog.callback(invoke_without_command=True)
def show(
    context: typer.Context,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many versions to list.")] = LISTED,
    upstream: UpstreamFlag = None,
) -> None:
    """List the stored versions, newest first: when they came, what they have and changed. Show a refused crawl."""
    context.obj = settings_or_stop(upstream=upstream)
    if context.invoked_subcommand is not None:
        return
    from cli.printed_refused_crawl import refused_lines
    from cli.printed_versions import version_lines

    with _storage(context) as storage:
        for line in [*version_lines(storage, limit), *refused_lines(storage.guard_state().refused)]:
            typer.echo(line)


@catalog.command()
def diff(context: typer.Context, a: VersionArgument, b: VersionArgument) -> None:
    """Show what has to happen to version A to become version B."""
    from cli.printed_versions import difference_lines

    with _storage(context) as storage:
        for line in difference_lines(storage, storage.history.named(a), storage.history.named(b)):
            typer.echo(line)


@catalog.command()
def pin(context: typer.Context, version: VersionArgument) -> None:
    """Serve a version, while crawls only add to the history. Running gateways follow within two seconds."""
    with _storage(context) as storage:
        chosen = storage.history.named(version)
        storage.history.pin(chosen)
        typer.echo(f"{_named(chosen)} is pinned. `python server.py catalog unpin` serves the newest again.")


@catalog.command()
def unpin(context: typer.Context) -> None:
    """Serve the newest version again. Running gateways follow within two seconds."""
    with _storage(context) as storage:
        pinned = storage.history.pinned()
        if pinned is None:
            stop("No version is pinned.", status=1)
        storage.history.unpin()
        typer.echo(f"Version {pinned.version} is no longer pinned, and the newest is served.")


@catalog.command()
def rollback(context: typer.Context, version: VersionArgument) -> None:
    """Make a version the newest one again, until a crawl finds another. Running gateways follow within two seconds."""
    with _storage(context) as storage:
        chosen = storage.history.named(version)
        if chosen.version == storage.history.versions(limit=1)[0].version:
            stop(f"{_named(chosen)} is the newest already.", status=1)
        storage.history.roll_back(chosen)
        typer.echo(f"{_named(chosen)} is the newest again, until a crawl finds another.")
        if storage.history.pinned() is not None:
            typer.echo("A version is pinned, and continues to be served.")


@catalog.command()
def accept(context: typer.Context) -> None:
    """Accept the crawl that was refused. Running gateways follow within two seconds."""
    from catalog.sync.refused_crawl_acceptance import NothingToAccept, accept_refused
    from cli.sync_progress import summary
    from upstream.client import without_credentials

    with _storage(context) as storage:
        try:
            accepted = accept_refused(storage, without_credentials(context.obj.upstream))
        except NothingToAccept as error:
            stop(str(error), status=1)
        for line in summary(accepted.before, accepted.after, accepted.changes):
            typer.echo(line)
        if storage.history.pinned() is not None:
            typer.echo("A version is pinned, and continues to be served.")


def _named(version: CatalogVersion) -> str:
    return f"Version {version.version} of {version.at:%Y-%m-%d %H:%M:%S} UTC"


@contextmanager
def _storage(context: typer.Context) -> Iterator[StoragePort]:
    """Open the storage of this upstream. A refusal by it, or a gap in its history, ends the command."""
    from catalog.history import HistoryDamaged, VersionUnknown
    from storage_wiring import open_storage
    from upstream.client import StorageUnavailable

    try:
        with open_storage(context.obj) as storage:
            yield storage
    except StorageUnavailable as error:
        stop(str(error))
    except (VersionUnknown, HistoryDamaged) as error:
        stop(str(error), status=1)
