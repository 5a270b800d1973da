"""Reads the arguments of commands: flags that are settings, variables, and manifests. A wrong one ends the command
with a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.error_exit import stop
from settings import EMBEDDED, Settings, WrongSetting, read_settings

if TYPE_CHECKING:
    from gateway.persisted import Manifest

VariablesFlag = Annotated[str, typer.Option(help="The variables, as a JSON object.")]
UpstreamFlag = Annotated[str | None, typer.Option("--upstream", help="URL of a v4 API, or 'embedded'.")]


API_PATH = "/api/v4/"
"""Where Django Packages has its REST API v4, on any host."""


def settings_or_stop(**flags: object) -> Settings:
    """Read the settings from the environment and from the flags that are not ``None``.

    An upstream at another path is told on standard error, because it may be right behind a proxy.
    """
    try:
        settings = read_settings(**flags)
    except WrongSetting as error:
        stop(str(error))
    if settings.upstream != EMBEDDED and not settings.upstream.endswith(API_PATH):
        from upstream.client import without_credentials

        address = without_credentials(settings.upstream)
        hint = (
            f"The upstream {address} does not end with {API_PATH}, where Django Packages has its REST API v4."
        )
        typer.echo(hint, err=True)
    return settings


def variables_or_stop(text: str) -> dict[str, object]:
    """Read the variables of an operation from the text of a JSON object."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        stop(f"--variables is {text}; it must be a JSON object.")
    return values


def manifest_or_stop(path: Path) -> Manifest:
    """Read the trusted documents of a file."""
    from gateway.persisted import WrongManifest, read_manifest

    try:
        return read_manifest(path)
    except WrongManifest as error:
        stop(str(error))
