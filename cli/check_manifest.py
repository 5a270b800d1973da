"""Runs the command ``check-manifest``: it checks that the trusted documents of a file fit the schema."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.arguments import manifest_or_stop, settings_or_stop
from cli.error_exit import stop


def check_manifest(manifest: Annotated[Path, typer.Argument(help="The file of the manifest.")]) -> None:
    """Check that the documents of a manifest fit the schema. The exit status is 1 if some do not."""
    from gateway import DocumentCache
    from gateway.persisted import unfit_documents
    from setting_groups import document_limits

    documents = DocumentCache(document_limits(settings_or_stop()))
    sentences = list(unfit_documents(manifest_or_stop(manifest), documents))
    unfit = [sentence for sentence in sentences if sentence is not None]
    if unfit:
        stop("\n".join(unfit), status=1)
    typer.echo(f"All {len(sentences)} documents fit the schema.")
