"""Defines the command line: each command of ``server.py`` by its name. Each one is in a file of its own.

A command imports what it needs when it runs, so that no command waits for the imports of the others.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from cli.catalog import catalog
from cli.check_manifest import check_manifest
from cli.doctor import doctor
from cli.mcp import mcp
from cli.plan import plan
from cli.query import query
from cli.schema import schema
from cli.serve import serve
from cli.sync import sync
from cli.upstream import upstream
from cli.version import show_version

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)


@cli.callback()
def program(
    version: Annotated[
        bool,
        typer.Option("--version", callback=show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Serve a GraphQL gateway over the REST API v4 of Django Packages, and do what its operators need."""


for command in (serve, query, plan, check_manifest, schema, sync, doctor, upstream, mcp):
    cli.command(command.__name__.replace("_", "-"))(command)
cli.add_typer(catalog, name="catalog")


def run() -> None:
    """Run the command that the arguments of this process name.

    :raises SystemExit: always, with the exit status. A sentence says so if the output cannot be written.
    """
    is_closed = sys.stdout is None
    if is_closed:
        # Whoever writes gets an error, as for an output that is full. Typer writes nothing and says nothing otherwise.
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8")
    try:
        cli()
    except OSError as error:
        if not _output_is_lost():
            raise
        why = " because it is closed" if is_closed else f": {error.strerror}"
        sys.exit(f"The output cannot be written{why}.")


def _output_is_lost() -> bool:
    """Return whether the standard output cannot be written, which only another try tells: a failed write says nothing
    of its file."""
    try:
        typer.echo()
    except OSError:
        # Python would write what is left in the buffer when the process ends, and fail again.
        with open(os.devnull, "w", encoding="utf-8") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        return True
    return False
