"""Holds a GraphQL request as it came and as it is prepared. It is made once, and handed to whatever answers it."""

from __future__ import annotations

from typing import Any

import msgspec
from graphql import GraphQLError

from catalog import Snapshot
from engine import DependsOn
from gateway.as_of_version import AsOf
from gateway.cost import Prediction
from gateway.named_operation import (
    dependencies_of,
    is_mutation,
    is_subscription,
    why_unclear,
    why_unfit,
)
from gateway.request_document import RequestDocument
from schema import Document, OnError


class GraphQLRequest(msgspec.Struct, frozen=True):
    """Holds a well-formed GraphQL request. ``receipt`` requests the cost of the answer, in ``extensions``, and
    ``explain`` what it would cost, without an answer.

    ``router``, ``traced`` and ``traceparent`` are what the headers of a router say.
    """

    query: str
    variables: dict[str, Any] | None = None
    operation_name: str | None = None
    receipt: bool = False
    explain: bool = False
    router: str | None = None
    traced: bool = False
    traceparent: str | None = None
    on_error: OnError = "PROPAGATE"


class PreparedRequest(msgspec.Struct, frozen=True, eq=False):
    """Holds a request whose document was read and whose catalog was taken, each once."""

    request: GraphQLRequest
    found: RequestDocument
    snapshot: Snapshot | None
    """The catalog that it is answered from; ``None`` if a wait may bring one, or upstream must be asked."""
    unclear: tuple[GraphQLError, ...]
    """Why it is not clear which operation to run, in one error; empty if it is."""
    refusals: tuple[GraphQLError, ...]
    """Why the operation cannot have one answer; empty if it can."""
    prediction: Prediction | None = None
    """What it is predicted to cost; ``None`` if it cannot run at all."""
    too_dear: GraphQLError | None = None
    """Why it costs too much to run, if it does. It is the last of the refusals."""
    as_of: AsOf | None = None
    """The older version that it asks to be answered from, if it does."""
    failure: Exception | None = None
    """Why that version could not be found; ``None`` if it was."""

    @classmethod
    def of(
        cls,
        request: GraphQLRequest,
        found: RequestDocument,
        snapshot: Snapshot | None,
        prediction: Prediction | None = None,
        too_dear: GraphQLError | None = None,
    ) -> PreparedRequest:
        """Return the request with its document, which was read before, a catalog and its predicted cost."""
        document = found.document
        refusals: tuple[GraphQLError, ...] = () if too_dear is None else (too_dear,)
        if document.is_usual and request.operation_name in (None, document.operations[0][0]):
            return cls(request, found, snapshot, (), refusals, prediction, too_dear)
        unclear = why_unclear(document, request.operation_name)
        return cls(
            request,
            found,
            snapshot,
            unclear=(GraphQLError(unclear),) if unclear else (),
            refusals=(*why_unfit(document, request.operation_name), *refusals),
            prediction=prediction,
            too_dear=too_dear,
        )

    @property
    def document(self) -> Document:
        """Return the document: if it is for all texts of a shape, with variables in the places of literals."""
        return self.found.document

    @property
    def is_subscription(self) -> bool:
        """Return whether the operation to run is a subscription."""
        return is_subscription(self.document, self.request.operation_name)

    @property
    def is_mutation(self) -> bool:
        """Return whether it is clear that the operation to run is a mutation."""
        return not self.unclear and is_mutation(self.document, self.request.operation_name)

    @property
    def may_be_cached(self) -> bool:
        """Return whether its answer may be one that is cached."""
        return not (self.request.receipt or self.request.explain)

    @property
    def has_parts(self) -> bool:
        """Return whether it can be answered in parts: it can run, and has ``@defer`` or ``@stream``."""
        return (
            self.document.in_parts is not None
            and not (self.refusals or self.request.explain)
            and self.failure is None
        )

    @property
    def is_settled(self) -> bool:
        """Return whether the same request is answered from the same version as long as the catalog stays the same."""
        return self.as_of is None or self.as_of.is_settled

    @property
    def version(self) -> str | None:
        """Return the version of the catalog that it is answered from; ``None`` if that is not known yet."""
        if self.as_of is not None:
            return self.as_of.version.version
        return None if self.snapshot is None or self.failure is not None else self.snapshot.catalog.version

    @property
    def depends_on(self) -> DependsOn:
        """Return what the answer to the operation depends on. The operation must be one that can run."""
        dependencies = dependencies_of(self.found.document, self.request.operation_name)
        return dependencies.with_variables(self.request.variables)
