"""Finds which operation of a document a request asks to run, or why none can."""

from __future__ import annotations

from graphql import GraphQLError, OperationType

from schema import AsOfDirective, Dependencies, Document

_QUERY = OperationType.QUERY.value  # Python takes a microsecond to look this up.


def is_subscription(asked: Document, operation_name: str | None) -> bool:
    """Return whether the operation to run is a subscription."""
    return _has_type(asked, operation_name, OperationType.SUBSCRIPTION)


def is_mutation(asked: Document, operation_name: str | None) -> bool:
    """Return whether the operation to run is a mutation. The schema has none."""
    return _has_type(asked, operation_name, OperationType.MUTATION)


def operation_type(asked: Document, operation_name: str | None) -> str | None:
    """Return the type of the operation to run, such as ``query``; ``None`` if it is not clear which that is."""
    if asked.is_usual and operation_name is None:
        return _QUERY
    if not asked.operations or why_unclear(asked, operation_name):
        return None
    return asked.operations[_index(asked, operation_name)][1].value


MAX_NAME = 100
"""Characters of the name of an operation in logs and traces."""


def operation_name(name: str | None, document: Document | None) -> str | None:
    """Return the beginning of the name of the operation to run: the one asked for, or that of the only one."""
    if name is None and document is not None and len(document.operations) == 1:
        name = document.operations[0][0]
    return None if name is None else name[:MAX_NAME]


def dependencies_of(asked: Document, operation_name: str | None) -> Dependencies:
    """Return what the answer to an operation that can run depends on."""
    return asked.dependencies[_index(asked, operation_name)]


def as_of_directive(asked: Document, operation_name: str | None) -> AsOfDirective | None:
    """Return the ``@asOf`` of the operation, which is one that can run; ``None`` if it has none."""
    return asked.as_of[_index(asked, operation_name)]


def why_unfit(asked: Document, operation_name: str | None) -> list[GraphQLError]:
    """Return why no operation can run: the document is not GraphQL, it is not clear which to run, or it does
    not fit."""
    unclear = why_unclear(asked, operation_name)
    if not unclear and is_subscription(asked, operation_name):
        unclear = (
            "A subscription has many answers; ask for them with the header Accept: text/event-stream, "
            "or over a WebSocket with the subprotocol graphql-transport-ws."
        )
    return [GraphQLError(unclear)] if unclear else list(asked.errors)


def why_unclear(asked: Document, operation_name: str | None) -> str | None:
    """Return why it is not clear which operation to run, in a sentence (spec, 6.1, GetOperation)."""
    if asked.node is None:
        return None  # not GraphQL: its errors say where
    names = [name for name, _type in asked.operations]
    if not names:
        return "The document has no operation to run, only fragments."
    if operation_name is None:
        if len(names) > 1:
            listed = ", ".join(name or "one without a name" for name in names)
            return f"The document has several operations ({listed}); set operationName to the one to run."
    elif operation_name not in names:
        return f'The document has no operation named "{operation_name}".'
    return None


def _index(asked: Document, operation_name: str | None) -> int:
    return 0 if operation_name is None else [name for name, _type in asked.operations].index(operation_name)


def _has_type(asked: Document, operation_name: str | None, wanted: OperationType) -> bool:
    return any(
        type is wanted for name, type in asked.operations if operation_name is None or name == operation_name
    )
