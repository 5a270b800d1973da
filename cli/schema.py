"""Runs the command ``schema``: it prints the schema as text."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.error_exit import stop


def schema(
    dialect: Annotated[
        str, typer.Option(help="The dialect: plain, federation, composite, stitching or semantic-non-null.")
    ] = "plain",
) -> None:
    """Print the schema in SDL."""
    from schema import UnknownDialect, read_dialect, sdl

    try:
        typer.echo(sdl(read_dialect(dialect)))
    except UnknownDialect as error:
        stop(str(error))
