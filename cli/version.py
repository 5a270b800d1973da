"""Runs the flag ``--version``: it prints the name and version of the gateway, as in ``pyproject.toml``."""

from __future__ import annotations

from pathlib import Path

import typer

_PROJECT = Path(__file__).parents[1] / "pyproject.toml"


def show_version(is_asked: bool) -> None:
    """Print the name and the version, and end the command.

    :raises typer.Exit: it was asked for.
    """
    if not is_asked:
        return
    import tomllib

    project = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]
    typer.echo(f"{project['name']} {project['version']}")
    raise typer.Exit
