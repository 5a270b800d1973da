"""Provides a document with its hash, requests for it as Apollo's clients send them, and how one is refused."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from gateway.persisted.document_lookup import PersistedDocuments, Refused
from web.answer_status import status_of_refused
from web.content_negotiation import GRAPHQL_JSON, JSON, accepted

TEXT = "{ categories { title } }"


def hash_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def apollo(text_or_hash: str, version: object = 1) -> dict[str, Any]:
    """Return the extensions that Apollo's clients send."""
    hash = text_or_hash if len(text_or_hash) == 64 else hash_of(text_or_hash)
    return {"persistedQuery": {"version": version, "sha256Hash": hash}}


def refusal(documents: PersistedDocuments, *request: Any) -> tuple[str, str, int, int]:
    """Return the code, the sentence, and the statuses for clients that do and do not name the type of the edition."""
    with pytest.raises(Refused) as refused:
        documents.resolve(*request)
    error = refused.value
    assert error.error == {"message": str(error), "extensions": {"code": error.code}}
    status, older = (status_of_refused(error, accepted(each)) for each in (GRAPHQL_JSON, JSON))
    return error.code, str(error), status, older


NOT_FOUND = ("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound", 422, 200)
