"""The ASGI app and the command line: reads settings, wires the parts, nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
import uvicorn
from rich.console import Console
from starlette.applications import Starlette

from schema import schema
from settings import EMBEDDED, Settings, WrongSetting, read_settings
from upstream.client import Client, in_process, network
from upstream.embedded import EmbeddedUpstream
from web.app import create_app
from web.execution import Gateway, Request
from web.graphiql import CANONICAL

ROOT = Path(__file__).parent
EMBEDDED_URL = "http://embedded.invalid/api/v4/"
"""The name of the embedded upstream in its own links; ``.invalid`` resolves nowhere (RFC 2606)."""

cli = typer.Typer(
    help="A GraphQL gateway over the REST API v4 of Django Packages.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
_out = Console()

UpstreamFlag = Annotated[str | None, typer.Option("--upstream", help="URL of a v4 API, or 'embedded'.")]


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on.")] = None,
    upstream: UpstreamFlag = None,
    workers: Annotated[int | None, typer.Option(help="How many processes answer requests.")] = None,
) -> None:
    """Serve GraphQL over HTTP."""
    settings = _settings(host=host, port=port, upstream=upstream, workers=workers)
    # Each worker process reads the settings anew, so flags reach them through the environment.
    os.environ |= {f"GATEWAY_{name.upper()}": str(value) for name, value in settings.model_dump().items()}
    _greet(settings)
    uvicorn.run(
        "server:app",
        app_dir=str(ROOT),
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        access_log=False,
        log_level="warning",
    )


@cli.command()
def query(
    document: Annotated[str, typer.Argument(help="The GraphQL document.")],
    variables: Annotated[str, typer.Option(help="The variables, as a JSON object.")] = "{}",
    receipt: Annotated[bool, typer.Option("--receipt", help="Show what the answer cost upstream.")] = False,
    upstream: UpstreamFlag = None,
) -> None:
    """Answer one query as JSON; the exit status is 1 if there were errors."""
    settings = _settings(upstream=upstream)
    try:
        values = json.loads(variables)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        _stop(f"--variables is {variables}; it can be a JSON object.")
    body = asyncio.run(_answer(settings, Request(document, values, receipt=receipt)))
    # On a terminal in colours, in a pipe as it is.
    if sys.stdout.isatty():
        Console().print_json(data=body)
    else:
        typer.echo(json.dumps(body, ensure_ascii=False, indent=2))
    raise typer.Exit(1 if "errors" in body else 0)


@cli.command("schema")
def print_schema() -> None:
    """Print the schema in SDL."""
    typer.echo(schema.as_str())


@cli.command("upstream")
def serve_upstream(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8801,
    packages: Annotated[int, typer.Option(min=5, help="How many packages the catalogue has.")] = 5400,
    seed: Annotated[int, typer.Option(help="Another seed makes another catalogue.")] = 1,
    latency: Annotated[float, typer.Option(min=0, help="Milliseconds before each answer.")] = 0,
) -> None:
    """Serve the embedded copy of the v4 API by itself."""
    upstream = EmbeddedUpstream(packages=packages, seed=seed, latency=latency / 1000)
    _out.print(f"The v4 API, embedded: http://{host}:{port}/api/v4/")
    uvicorn.run(upstream, host=host, port=port, access_log=False, log_level="warning")


def __getattr__(name: str) -> Starlette:
    """``server:app`` for any ASGI server, made when it is asked for: the command line needs none."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        settings = read_settings()
    except WrongSetting as error:
        raise SystemExit(str(error)) from None
    return create_app(lambda: _open_client(settings))


def _open_client(settings: Settings) -> Client:
    if settings.upstream == EMBEDDED:
        return Client(EMBEDDED_URL, in_process(EmbeddedUpstream()))
    return Client(settings.upstream, network())


async def _answer(settings: Settings, request: Request) -> dict[str, object]:
    gateway = Gateway(_open_client(settings))
    try:
        return (await gateway.execute(request)).body
    finally:
        await gateway.aclose()


def _settings(**flags: object) -> Settings:
    try:
        return read_settings(**flags)
    except WrongSetting as error:
        _stop(str(error))


def _stop(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(2)


def _greet(settings: Settings) -> None:
    address = f"http://{settings.host}:{settings.port}"
    document = " ".join(line for line in CANONICAL.read_text().split("\n") if not line.startswith("#"))
    body = json.dumps({"query": " ".join(document.split())})
    _out.print(f"GraphQL over [bold]{settings.upstream}[/bold]")
    _out.print(f"  GraphiQL, in a browser   {address}/graphql")
    _out.print("  the canonical query, in a shell:\n")
    # Printed as it is: a terminal may wrap it, a copy of it must not have line breaks.
    typer.echo(f"curl -s {address}/graphql -H 'Content-Type: application/json' -d '{body}'\n")


if __name__ == "__main__":
    cli()
