"""The ASGI app and the command line: reads settings, wires the parts, nothing else.

Each command imports what it runs on, so that none waits for the others' imports.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn
from urllib.parse import urlsplit

import typer

from catalog.storage.sqlite_storage import Storage
from settings import EMBEDDED, Settings, WrongSetting, read_settings
from upstream.client.upstream_address import without_credentials
from upstream.client.upstream_errors import StorageUnavailable, UpstreamError

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from catalog.catalog_source import CatalogSource
    from engine.run_limits import RunLimits
    from gateway.document_cache import DocumentCache
    from gateway.limits import DocumentLimits
    from gateway.persisted.document_lookup import PersistedDocuments
    from gateway.persisted.trusted_manifest import Manifest
    from gateway.request_execution import GraphQLRequest
    from upstream.client.api_client import Client

ROOT = Path(__file__).parent
EMBEDDED_URL = "http://embedded.invalid/api/v4/"
"""The name of the embedded upstream in its own links; ``.invalid`` resolves nowhere (RFC 2606)."""

cli = typer.Typer(
    help="A GraphQL gateway over the REST API v4 of Django Packages.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
UpstreamFlag = Annotated[str | None, typer.Option("--upstream", help="URL of a v4 API, or 'embedded'.")]


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on.")] = None,
    upstream: UpstreamFlag = None,
    workers: Annotated[int | None, typer.Option(help="How many processes answer requests.")] = None,
) -> None:
    """Serve GraphQL over HTTP."""
    from cli.start_message import greeting
    from web.serving.uvicorn_server import run

    settings = _settings(host=host, port=port, upstream=upstream, workers=workers)
    # Each worker process reads the settings anew, so flags reach them through the environment.
    os.environ |= {f"GATEWAY_{name.upper()}": str(value) for name, value in settings.model_dump().items()}
    try:
        # Here once, where a refusal is one sentence, before the workers do it.
        storage = Storage(storage_path(settings))
        try:
            storage.check_upstream(without_credentials(settings.upstream))
        finally:
            storage.close()
    except StorageUnavailable as error:
        _stop(str(error))
    if settings.trusted_documents_mode != "off":
        _read_manifest(ROOT / settings.trusted_documents)
    port = _bindable_port(settings.host, settings.port)
    address = f"http://{_authority(settings.host, port)}"
    upstream_address = without_credentials(settings.upstream)
    typer.echo(greeting(address, upstream_address, only_trusted=settings.trusted_documents_mode == "only"))
    sys.path.insert(0, str(ROOT))
    run(
        "server:app",
        host=settings.host,
        port=port,
        workers=settings.workers,
        idle_seconds=settings.idle_seconds,
    )


@cli.command()
def query(
    document: Annotated[str, typer.Argument(help="The GraphQL document.")],
    variables: Annotated[str, typer.Option(help="The variables, as a JSON object.")] = "{}",
    receipt: Annotated[bool, typer.Option("--receipt", help="Show what the answer cost upstream.")] = False,
    upstream: UpstreamFlag = None,
) -> None:
    """Answer one query as JSON; the exit status is 1 if there were errors."""
    from gateway.request_execution import GraphQLRequest

    settings = _settings(upstream=upstream)
    request = GraphQLRequest(document, _variables(variables), receipt=receipt)
    try:
        body = asyncio.run(_answer(settings, request))
    except StorageUnavailable as error:
        _stop(str(error))
    # On a terminal in colours, in a pipe as it is.
    if sys.stdout.isatty():
        from rich.console import Console

        Console().print_json(data=body)
    else:
        typer.echo(json.dumps(body, ensure_ascii=False, indent=2))
    raise typer.Exit(1 if "errors" in body else 0)


@cli.command()
def plan(
    document: Annotated[str, typer.Argument(help="The GraphQL document.")],
    variables: Annotated[str, typer.Option(help="The variables, as a JSON object.")] = "{}",
    operation: Annotated[str | None, typer.Option(help="The operation, if there are several.")] = None,
) -> None:
    """Print how the engine runs an operation: its plan, and the Python source that it generates."""
    from gateway.request_execution import GraphQLRequest, Unplanned, explain

    settings = _settings()
    try:
        typer.echo(
            explain(GraphQLRequest(document, _variables(variables), operation), document_limits(settings))
        )
    except Unplanned as error:
        _stop(str(error), status=1)


@cli.command("check-manifest")
def check_manifest(manifest: Annotated[Path, typer.Argument(help="The file with the documents.")]) -> None:
    """Check that the documents of a manifest fit the schema; the exit status is 1 if some do not."""
    from gateway.document_cache import DocumentCache
    from gateway.persisted.trusted_manifest import unfit_documents

    documents = DocumentCache(document_limits(_settings()))
    sentences = list(unfit_documents(_read_manifest(manifest), documents))
    unfit = [sentence for sentence in sentences if sentence is not None]
    if unfit:
        _stop("\n".join(unfit), status=1)
    typer.echo(f"All {len(sentences)} documents fit the schema.")


@cli.command("schema")
def print_schema(
    dialect: Annotated[
        str, typer.Option(help="For whom: plain, federation, composite or stitching.")
    ] = "plain",
) -> None:
    """Print the schema in SDL."""
    from schema import UnknownDialect, read_dialect, sdl

    try:
        typer.echo(sdl(read_dialect(dialect)))
    except UnknownDialect as error:
        _stop(str(error))


@cli.command()
def sync(
    upstream: UpstreamFlag = None,
    accept: Annotated[
        bool, typer.Option("--accept", help="Take it even if it is empty or much has gone from it.")
    ] = False,
) -> None:
    """Read the whole catalog now, store it, and tell what changed."""
    from catalog.sync.catalog_guard import CatalogRefused
    from cli.sync_progress import show_sync

    settings = _settings(upstream=upstream)
    try:
        synced = asyncio.run(show_sync(open_source(settings, follow=False), accept=accept))
    except StorageUnavailable as error:
        _stop(str(error))
    except CatalogRefused as error:
        _stop(f"{error} If that is how it is, `python server.py sync --accept` takes it.", status=1)
    except UpstreamError as error:
        _stop(f"The catalog could not be read, and what is stored stays: {error}", status=1)
    if not synced.stored:
        _stop("The catalog was read but could not be stored.", status=1)


@cli.command("upstream")
def serve_upstream(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on.")] = 8801,
    packages: Annotated[int, typer.Option(min=5, help="How many packages the catalog has.")] = 5400,
    seed: Annotated[int, typer.Option(help="Another seed makes another catalog.")] = 1,
    latency: Annotated[float, typer.Option(min=0, help="Milliseconds before each answer.")] = 0,
) -> None:
    """Serve the embedded copy of the v4 API by itself."""
    import uvicorn

    from upstream.embedded import EmbeddedUpstream

    port = _bindable_port(host, port)
    upstream = EmbeddedUpstream(packages=packages, seed=seed, latency=latency / 1000)
    typer.echo(f"The v4 API, embedded: http://{_authority(host, port)}/api/v4/")
    uvicorn.run(upstream, host=host, port=port, access_log=False, log_level="warning")


def __getattr__(name: str) -> Starlette:
    """``server:app`` for any ASGI server, made when it is asked for: the command line needs none."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        settings = read_settings()
    except WrongSetting as error:
        raise SystemExit(str(error)) from None
    from gateway.admission_queue import AdmissionLimits
    from gateway.federation_router import FederationRouter
    from web.app import Options, create_app
    from web.serving.interpreter_tuning import tune
    from web.serving.open_connections import ConnectionLimits

    options = Options(
        use_engine=settings.engine == "on",
        response_bytes=settings.response_cache_bytes,
        max_age=settings.max_age,
        most_together=settings.batch_limit,
        origins=tuple(settings.cors_origins.split(",")),
        limits=document_limits(settings),
        run_limits=run_limits(settings),
        router=FederationRouter(settings.router_secret, settings.limit_entities),
        admission=AdmissionLimits(
            running=settings.limit_running,
            waiting=settings.limit_waiting,
            seconds=settings.limit_waiting_seconds,
        ),
        connections=ConnectionLimits(
            connections=settings.limit_connections,
            connections_per_address=settings.limit_connections_per_address,
            sockets=settings.limit_sockets,
            sockets_per_address=settings.limit_sockets_per_address,
            subscriptions=settings.limit_subscriptions,
            subscriptions_per_address=settings.limit_subscriptions_per_address,
            head_seconds=settings.head_seconds,
            socket_idle_seconds=settings.socket_idle_seconds,
            read_seconds=settings.read_seconds,
            unsent_bytes=settings.limit_unsent_bytes,
            unsent_bytes_together=settings.limit_unsent_bytes_together,
        ),
    )
    app = create_app(
        lambda: open_source(settings, follow=settings.crawl == "on"),
        options,
        persisted=partial(_persisted, settings),
    )
    tune()
    return app


def open_source(settings: Settings, *, follow: bool) -> CatalogSource:
    """The source that the settings describe. It still has to be opened.

    :raises StorageUnavailable: the file of the catalog cannot be used.
    """
    from catalog.catalog_source import CatalogSource
    from catalog.freshness import Freshness
    from catalog.sync.schedule import Schedule

    return CatalogSource(
        _client(settings),
        Storage(storage_path(settings)),
        origin=without_credentials(settings.upstream),
        follow=follow,
        schedule=Schedule(crawl=settings.crawl_interval, newest=settings.newest_interval),
        freshness=Freshness(
            fresh=settings.fresh,
            while_revalidate=settings.stale_while_revalidate,
            if_error=settings.stale_if_error,
        ),
        budget=settings.upstream_budget / settings.workers,
    )


def storage_path(settings: Settings) -> str:
    """The file of the catalog, or ``:memory:``. Its folder is made."""
    if settings.storage == ":memory:":
        return settings.storage
    name = urlsplit(without_credentials(settings.upstream)).netloc or EMBEDDED
    path = ROOT / settings.storage.replace("{upstream}", name.replace(":", "-"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageUnavailable(str(path), str(error.strerror)) from None
    return str(path)


def _client(settings: Settings) -> Client:
    from upstream.client.api_client import Client
    from upstream.client.http_transport import in_process, network
    from upstream.client.retrying_exchange import ClientLimits

    limits = ClientLimits(
        exchange=settings.upstream_timeout,
        connect=settings.upstream_connect_timeout,
        total=settings.upstream_total_timeout,
        attempts=settings.upstream_attempts,
        longest_pause=settings.upstream_longest_pause,
        longest_retry_after=settings.upstream_longest_retry_after,
        answer_bytes=settings.upstream_answer_bytes,
        lowest_in_flight=settings.upstream_min_in_flight,
        highest_in_flight=settings.upstream_max_in_flight,
        breaker_failures=settings.breaker_failures,
        breaker_rest=settings.breaker_rest,
    )
    if settings.upstream != EMBEDDED:
        return Client(settings.upstream, network(), limits)
    from upstream.embedded import EmbeddedUpstream

    return Client(EMBEDDED_URL, in_process(EmbeddedUpstream()), limits)


def document_limits(settings: Settings) -> DocumentLimits:
    """The limits that the settings describe."""
    from gateway.limits import DocumentLimits

    return DocumentLimits(
        bytes=settings.limit_bytes,
        tokens=settings.limit_tokens,
        definitions=settings.limit_definitions,
        depth=settings.limit_depth,
        selections=settings.limit_selections,
        aliases=settings.limit_aliases,
        root_fields=settings.limit_root_fields,
        repeated_fields=settings.limit_repeated_fields,
        values=settings.limit_values,
        work=settings.limit_work,
    )


def run_limits(settings: Settings) -> RunLimits:
    """What one run of an operation may take by the settings."""
    from engine.run_limits import RunLimits

    return RunLimits(answer_bytes=settings.limit_answer_bytes, seconds=settings.limit_seconds)


def _persisted(settings: Settings, documents: DocumentCache) -> PersistedDocuments:
    from gateway.persisted.document_lookup import PersistedDocuments
    from gateway.persisted.trusted_documents import TrustedDocuments

    mode = settings.trusted_documents_mode
    return PersistedDocuments(
        documents,
        None if mode == "off" else TrustedDocuments(ROOT / settings.trusted_documents, documents),
        only_trusted=mode == "only",
        automatic=settings.automatic_persisted_queries == "on",
    )


def _read_manifest(path: Path) -> Manifest:
    from gateway.persisted.trusted_manifest import WrongManifest, read_manifest

    try:
        return read_manifest(path)
    except WrongManifest as error:
        _stop(str(error))


async def _answer(settings: Settings, request: GraphQLRequest) -> dict[str, object]:
    from gateway.federation_router import FederationRouter
    from gateway.request_execution import Gateway

    source = open_source(settings, follow=False)
    await source.open()
    try:
        use_engine, limits = settings.engine == "on", document_limits(settings)
        router = FederationRouter(most_entities=settings.limit_entities)
        gateway = Gateway(
            source, use_engine=use_engine, limits=limits, run_limits=run_limits(settings), router=router
        )
        return (await gateway.execute(request)).decoded()
    finally:
        await source.aclose()


def _variables(text: str) -> dict[str, object]:
    try:
        values = json.loads(text)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        _stop(f"--variables is {text}; it can be a JSON object.")
    return values


def _settings(**flags: object) -> Settings:
    try:
        return read_settings(**flags)
    except WrongSetting as error:
        _stop(str(error))


def _bindable_port(host: str, port: int) -> int:
    """The port, or a free one for 0. Tried before the server does it, to be named, or refused in a sentence."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        # As the server does it: a port that was left a moment ago can be taken again.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            _stop(f"{_authority(host, port)} cannot be listened on: {error.strerror}.")
        found: int = probe.getsockname()[1]
        return found


def _authority(host: str, port: int) -> str:
    """Host and port as they stand in a URL (RFC 3986, section 3.2.2)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _stop(sentence: str, status: int = 2) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(status)


if __name__ == "__main__":
    cli()
