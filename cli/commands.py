"""Defines the command line: each command of ``server.py`` by its name. Each one is in a file of its own.

A command imports what it needs when it runs, so that no command waits for the imports of the others.
"""

from __future__ import annotations

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
