"""Traces of fields for routers of Apollo Federation (FTV1): when each resolver ran, in ``extensions.ftv1``.

Strawberry can make them, but the mere presence of its extension makes every request cost five times as much. So it
takes part only in the requests that are traced.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from strawberry.extensions import SchemaExtension

_traced: ContextVar[bool] = ContextVar("traced", default=False)


@contextmanager
def tracing_fields() -> Iterator[None]:
    """Trace the operations that run in this context."""
    token = _traced.set(True)
    try:
        yield
    finally:
        _traced.reset(token)


def extensions_of_this_request() -> list[SchemaExtension]:
    """Return what traces the operation that is about to run, if it is to be traced."""
    if not _traced.get():
        return []
    # The import is here, because it would slow down the start.
    from strawberry.extensions.tracing.apollo_federation import ApolloFederationTracingExtension

    class Tracing(ApolloFederationTracingExtension):
        def _check_should_trace(self) -> bool:
            return True  # It would look for the header in the context, which knows nothing of HTTP.

    return [Tracing()]
