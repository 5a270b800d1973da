"""Reads the document of a command: its text, a file or standard input."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import Annotated, BinaryIO

import typer

from cli.error_exit import stop

MAX_BYTES = 1_000_000
"""Bytes of a document; over HTTP a whole request can have as many."""

DocumentArgument = Annotated[
    str, typer.Argument(help="The GraphQL document; @FILE reads it from a file, and - from standard input.")
]


def document_or_stop(text: str) -> str:
    """Return the document that an argument is, or names."""
    if text != "-" and not text.startswith("@"):
        return text
    where = "Standard input" if text == "-" else f"The file {text[1:]}"
    try:
        # Standard input is not closed here.
        with nullcontext(sys.stdin.buffer) if text == "-" else open(text[1:], "rb") as file:
            return _read(file, where)
    except OSError as error:
        stop(f"{where} cannot be read: {error.strerror}.")


def _read(file: BinaryIO, where: str) -> str:
    content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        stop(f"{where} has more than {MAX_BYTES:,} bytes, which a document cannot have.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        stop(f"{where} is not UTF-8.")
