"""Provides manifests of trusted documents, and what a gateway finds documents with that trusts them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.document_cache import DocumentCache
from gateway.persisted.document_lookup import PersistedDocuments
from gateway.persisted.trusted_documents import TrustedDocuments
from tests.support.persisted_documents import hash_of

OTHER = "query Other { packages(first: 1) { nodes { title } } }"
UNFIT = "query Unfit { nothing }"


def apollo_manifest(**named: str) -> dict[str, Any]:
    operations = [
        {"id": hash_of(text), "name": name, "type": "query", "body": text} for name, text in named.items()
    ]
    return {"format": "apollo-persisted-query-manifest", "version": 1, "operations": operations}


def write(path: Path, content: object) -> None:
    """Replace the file, as a deployment does."""
    new = path.with_suffix(".new")
    new.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    new.replace(path)


def documents_of(
    documents: DocumentCache,
    path: Path | None = None,
    clock: Callable[[], float] = time.monotonic,
    *,
    only_trusted: bool = False,
    automatic: bool = True,
) -> PersistedDocuments:
    """Return what a gateway finds documents with that trusts the manifest at ``path``, if there is one."""
    trusted = TrustedDocuments(path, documents, clock) if path else None
    return PersistedDocuments(documents, trusted, only_trusted=only_trusted, automatic=automatic)


NOT_IN_SAFELIST = (
    "QUERY_NOT_IN_SAFELIST",
    "This gateway runs only the documents of its manifest, and none of them has exactly this text. "
    "Introspection is not allowed either.",
    403,
    403,
)
