"""Finds the documents that requests name by an id: trusted ones and registered ones."""

from gateway.persisted.document_lookup import (
    NO_GRAPHIQL,
    NOT_FOUND,
    OUTCOMES,
    PersistedDocuments,
    RefusalKind,
    Refused,
)
from gateway.persisted.manifest_format import Manifest, WrongManifest, read_manifest, unfit_documents
from gateway.persisted.trusted_documents import TrustedDocuments

__all__ = [
    "NOT_FOUND",
    "NO_GRAPHIQL",
    "OUTCOMES",
    "Manifest",
    "PersistedDocuments",
    "RefusalKind",
    "Refused",
    "TrustedDocuments",
    "WrongManifest",
    "read_manifest",
    "unfit_documents",
]
