"""Runs the command ``query``: it answers one operation without a server."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cli.arguments import UpstreamFlag, VariablesFlag, settings_or_stop, variables_or_stop
from cli.document_source import DocumentArgument, document_or_stop
from cli.error_exit import stop

if TYPE_CHECKING:
    from gateway import GraphQLRequest
    from settings import Settings


def query(
    document: DocumentArgument,
    variables: VariablesFlag = "{}",
    receipt: Annotated[bool, typer.Option("--receipt", help="Show what the answer cost upstream.")] = False,
    upstream: UpstreamFlag = None,
) -> None:
    """Answer one query as JSON. The exit status is 1 if the answer has errors."""
    # The collector would go through all that is imported and loaded: for a tenth of the time while the command runs,
    # and for a sixth of it at the end, where it spares only what is frozen.
    gc.disable()
    from gateway import GraphQLRequest
    from upstream.client import StorageUnavailable

    # Only the owner of the machine asks here. The router's secret and the manifest guard against strangers. The answer
    # says what failed, and nobody looks for slow operations among its lines.
    settings = settings_or_stop(
        upstream=upstream, crawl="off", router_secret="", trusted_documents_mode="off", slow=0
    )
    request = GraphQLRequest(document_or_stop(document), variables_or_stop(variables), receipt=receipt)
    try:
        body, has_catalog = asyncio.run(_answer(settings, request))
    except StorageUnavailable as error:
        stop(str(error))
    # The answer is coloured on a terminal, and plain in a pipe.
    if sys.stdout.isatty():
        from rich.console import Console

        Console().print_json(data=body)
    else:
        typer.echo(json.dumps(body, ensure_ascii=False, indent=2))
    if "errors" in body and not has_catalog:
        typer.echo("No catalog is stored; `python server.py sync` crawls it.", err=True)
    gc.freeze()
    raise typer.Exit(1 if "errors" in body else 0)


async def _answer(settings: Settings, request: GraphQLRequest) -> tuple[dict[str, object], bool]:
    """Return the answer, and whether there is a catalog."""
    from wiring import make_gateway, open_source

    async with open_source(settings) as source:
        answer = await make_gateway(settings, source).execute(request)
        return answer.decoded(), source.latest is not None
