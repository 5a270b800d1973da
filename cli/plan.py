"""Runs the command ``plan``: it shows how the engine runs an operation."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.arguments import VariablesFlag, settings_or_stop, variables_or_stop
from cli.document_source import DocumentArgument, document_or_stop
from cli.error_exit import stop


def plan(
    document: DocumentArgument,
    variables: VariablesFlag = "{}",
    operation: Annotated[
        str | None, typer.Option(help="The name of the operation, if the document has several.")
    ] = None,
) -> None:
    """Print how the engine runs an operation: its plan, and the Python source that it generates."""
    from gateway import GraphQLRequest, Unplanned, explain
    from setting_groups import document_limits

    limits = document_limits(settings_or_stop())
    request = GraphQLRequest(document_or_stop(document), variables_or_stop(variables), operation)
    try:
        typer.echo(explain(request, limits))
    except Unplanned as error:
        stop(str(error), status=1)
