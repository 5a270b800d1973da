"""Reads a manifest of trusted documents: the file that a front end's build writes, ids and the documents they name.

It knows two formats: Apollo's, which ``@apollo/generate-persisted-query-manifest`` writes, and the plain object of
ids and texts that relay-compiler and graphql-codegen write.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from gateway.document_cache import DocumentCache

SHA256_PREFIX = "sha256:"
"""The prefix of an id that is the hash of the text (GraphQL over HTTP, appendix on persisted documents)."""


class WrongManifest(Exception):
    """Says that a file is no manifest. The message is a sentence that names the file and what is wrong."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Holds trusted documents."""

    names: dict[str, str] = field(default_factory=dict)
    """Each text and what people call it: the name of its operation, or its id."""
    by_id: dict[str, str] = field(default_factory=dict)
    """The texts by the ids of the file, and by the SHA-256 of each text; neither has a prefix."""

    def find(self, id: str) -> str | None:
        """Return the text with this id."""
        return self.by_id.get(id.removeprefix(SHA256_PREFIX))


class _ManifestOperation(msgspec.Struct):
    id: str
    name: str
    body: str


class _ApolloManifest(msgspec.Struct):
    format: Literal["apollo-persisted-query-manifest"]
    version: Literal[1]
    operations: list[_ManifestOperation]


def read_manifest(path: Path) -> Manifest:
    """Return the documents in a file.

    :raises WrongManifest: it cannot be read, is in neither format, or has an id twice with different texts.
    """
    try:
        content = msgspec.json.decode(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
        if isinstance(content, dict) and isinstance(content.get("operations"), list):
            apollo = msgspec.convert(content, _ApolloManifest)
            named = [(each.id, each.name, each.body) for each in apollo.operations]
        else:
            named = [(id, id, text) for id, text in msgspec.convert(content, dict[str, str]).items()]
    except OSError as error:
        raise WrongManifest(f"The manifest {path} cannot be read: {error.strerror}.") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise WrongManifest(
            f"{path} is not a manifest of persisted documents, neither in Apollo's format nor an object of "
            f"ids and texts: {error}."
        ) from None
    by_id: dict[str, str] = {}
    for id, _name, text in named:
        if by_id.setdefault(id.removeprefix(SHA256_PREFIX), text) != text:
            raise WrongManifest(f'The manifest {path} has the id "{id}" twice, with different texts.')
    hashes = {sha256(text): text for _id, _name, text in named}
    return Manifest({text: name for _id, name, text in named}, hashes | by_id)


def sha256(text: str) -> str:
    """Return the hash that names a text: 64 hexadecimal digits in lower case."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def unfit_documents(manifest: Manifest, documents: DocumentCache) -> Iterator[str | None]:
    """Return for each document a sentence that says why the gateway cannot run it, or None."""
    for text, name in manifest.names.items():
        why = why_unfit(text, documents)
        yield why and f"{name}: {why}"


def why_unfit(text: str, documents: DocumentCache) -> str | None:
    """Return why the document cannot run, in a sentence, or None."""
    errors = documents.read(text).errors
    return errors[0].message if errors else None
