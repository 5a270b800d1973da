"""Ends a command with one sentence on standard error."""

from __future__ import annotations

from typing import NoReturn

import typer


def stop(sentence: str, status: int = 2) -> NoReturn:
    """Print the sentence and end the command with this exit status; 2 is a wrong use, 1 a failure.

    :raises typer.Exit: always.
    """
    typer.echo(sentence, err=True)
    raise typer.Exit(status)
