"""Runs the command ``upstream``: it serves the embedded copy of the v4 API by itself."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.listening_port import authority, bindable_port


def upstream(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on.")] = 8801,
    packages: Annotated[int, typer.Option(min=5, help="The number of packages in the catalog.")] = 5400,
    seed: Annotated[int, typer.Option(help="The seed of the generated catalog.")] = 1,
    latency: Annotated[float, typer.Option(min=0, help="Milliseconds to wait before each answer.")] = 0,
) -> None:
    """Serve the embedded copy of the v4 API by itself."""
    import uvicorn

    from upstream.embedded import EmbeddedUpstream

    port = bindable_port(host, port)
    serving = EmbeddedUpstream(packages=packages, seed=seed, latency=latency / 1000)
    typer.echo(f"The v4 API, embedded: http://{authority(host, port)}/api/v4/")
    uvicorn.run(serving, host=host, port=port, access_log=False, log_level="warning")
