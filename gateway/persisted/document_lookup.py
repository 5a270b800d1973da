"""Finds the document of a request: its text as sent, or a document that is known by an id.

An id comes as ``documentId`` (GraphQL over HTTP, appendix on persisted documents) or as Apollo's
``extensions.persistedQuery``. It names a trusted document, one of the manifest, or one that some client registered
before by sending its text with its hash (Apollo's automatic persisted queries).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import msgspec

from gateway.document_cache import DocumentCache
from gateway.persisted.automatic_persisted_queries import RegisteredDocuments
from gateway.persisted.manifest_format import SHA256_PREFIX, sha256, why_unfit
from gateway.persisted.trusted_documents import TrustedDocuments

if TYPE_CHECKING:
    from sharing import SharedDocuments

Outcome = Literal["trusted", "automatic", "registered", "missing", "refused"]
OUTCOMES: tuple[Outcome, ...] = ("trusted", "automatic", "registered", "missing", "refused")

NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
"""The code for an id that may name a document after its text was sent."""

NO_GRAPHIQL = (
    "This gateway runs only the documents of its manifest, so there is no GraphiQL here. `python server.py "
    "schema` prints the schema."
)


RefusalKind = Literal["unknown", "forbidden", "malformed"]
"""Why a document is refused: it is unknown, it may not run, or the request makes no sense."""


class Refused(Exception):
    """Refuses a request whose document is not known or not allowed. The message is for the client.

    No cache may keep the answer: the next such request may be answered.
    """

    def __init__(self, code: str, message: str, kind: RefusalKind) -> None:
        super().__init__(message)
        self.code = code
        self.kind = kind

    @property
    def error(self) -> dict[str, object]:
        """Return the one entry of ``errors``."""
        return {"message": str(self), "extensions": {"code": self.code}}

    @property
    def body(self) -> bytes:
        """Return the GraphQL response."""
        return msgspec.json.encode({"errors": [self.error]})


class PersistedDocuments:
    """Finds the documents that are known by an id."""

    def __init__(
        self,
        documents: DocumentCache,
        trusted: TrustedDocuments | None,
        *,
        only_trusted: bool,
        automatic: bool,
    ) -> None:
        """:param documents: those of the gateway, by which one is judged that a client registers.
        :param only_trusted: run nothing but trusted documents; ``trusted`` is needed then.
        :param automatic: whether clients can register documents.
        """
        assert trusted or not only_trusted
        self.trusted = trusted
        self.only_trusted = only_trusted
        self.registered = RegisteredDocuments()
        self.outcomes: Counter[Outcome] = Counter()
        """Counts the requests with an id, and those refused without one, by their outcome."""
        self.shared: SharedDocuments | None = None
        """Tells other gateways what clients register, where these share a server."""
        self._automatic = automatic
        self._documents = documents

    def open(self) -> None:
        """Read the manifest, on an event loop."""
        if self.trusted is not None:
            self.trusted.look()

    def close(self) -> None:
        """Stop what is under way."""
        if self.trusted is not None:
            self.trusted.close()

    def take(self, id: str, query: str) -> None:
        """Keep a document that a client has registered with another gateway, by the SHA-256 of its text."""
        if self._automatic and not self.only_trusted and not self.registered.has(id):
            self.registered.add(id, query)

    def version(self) -> str:
        """Return the version of what ids mean, which changes as soon as an id may name another document, or others may
        run.

        A reply that is cached by the bytes of a request, and so is found without :meth:`resolve`, holds for one version
        only.
        """
        if self.trusted is None:
            return ""
        self.trusted.look()
        return str(self.trusted.taken_over)

    def resolve(
        self,
        query: str | None,
        document_id: str | None = None,
        extensions: Mapping[str, object] | None = None,
    ) -> str:
        """Return the text of the document of a request with these parameters. An empty one counts as none.

        :raises Refused: there is none that may run.
        """
        if self.trusted is not None:
            self.trusted.look()
        if not document_id and not (extensions and extensions.get("persistedQuery") is not None):
            return self._free(query)
        if self.trusted is None and not self._automatic:
            raise self._refused("PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported", "unknown")
        id = (document_id or self._apollo_id(extensions or {})).removeprefix(SHA256_PREFIX)
        return self._with_id(query, id) if query else self._by_id(id)

    def _free(self, query: str | None) -> str:
        if not query or query.isspace():
            raise self._wrong("The request has no document: send its text as query, or its id as documentId.")
        self._check_trusted(query)
        return query

    def _by_id(self, id: str) -> str:
        trusted = self.trusted and self.trusted.manifest.find(id)
        if trusted:
            self.outcomes["trusted"] += 1
            return trusted
        registered = self.registered.find(id)
        if registered:
            self.outcomes["automatic"] += 1
            return registered
        self.outcomes["missing"] += 1
        if self.only_trusted:
            # This is not the answer of _missing, because clients would then send the text in vain.
            raise Refused(
                "PERSISTED_QUERY_NOT_IN_LIST",
                "The manifest of this gateway has no document with this id.",
                "unknown",
            )
        # These are Apollo's words, because clients compare the message.
        raise Refused(NOT_FOUND, "PersistedQueryNotFound", "unknown")

    def _with_id(self, query: str, id: str) -> str:
        is_trusted = self.trusted is not None and self.trusted.manifest.find(id) == query
        if not is_trusted:
            if sha256(query) != id:
                raise self._wrong(
                    "The id is not the SHA-256 of the query that came with it, in lower-case digits."
                )
            self._check_trusted(query)
            # Only a document that can run is stored. So each one costs its sender a new document that fits the schema.
            if self._automatic and not self.registered.has(id) and not why_unfit(query, self._documents):
                self.registered.add(id, query)
                self.outcomes["registered"] += 1
                if self.shared is not None:
                    self.shared.put(id, query)
        return query

    def _check_trusted(self, query: str) -> None:
        if self.only_trusted and self.trusted and query not in self.trusted.manifest.names:
            raise self._refused(
                "QUERY_NOT_IN_SAFELIST",
                "This gateway runs only the documents of its manifest, and none of them has exactly this "
                "text. Introspection is not allowed either.",
                "forbidden",
            )

    def _apollo_id(self, extensions: Mapping[str, object]) -> str:
        persisted = extensions["persistedQuery"]
        if not isinstance(persisted, dict) or not isinstance(persisted.get("sha256Hash"), str):
            raise self._wrong(
                'extensions.persistedQuery must be an object such as {"version": 1, "sha256Hash": "ecf4edb4…"}.'
            )
        if persisted.get("version") != 1:
            raise self._wrong("The version of extensions.persistedQuery must be 1.")
        id: str = persisted["sha256Hash"]
        return id

    def _wrong(self, message: str) -> Refused:
        return self._refused("BAD_REQUEST", message, "malformed")

    def _refused(self, code: str, message: str, kind: RefusalKind) -> Refused:
        self.outcomes["refused"] += 1
        return Refused(code, message, kind)
