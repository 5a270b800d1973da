"""Shows errors to clients: a sentence, a path in the answer, and a code.

=========================== ==========================================================================
code                        meaning
=========================== ==========================================================================
GRAPHQL_PARSE_FAILED        The document is not GraphQL.
GRAPHQL_VALIDATION_FAILED   The document does not fit the schema.
OPERATION_TOO_COMPLEX       The operation or its answer exceeds a limit. ``limit`` is its name, ``max`` the
                            number allowed, and ``value`` the operation's own, at most 2147483647. ``path`` are the
                            fields with most of it, for the limit of values.
OPERATION_TIMEOUT           The operation took longer than its deadline and was stopped.
RATE_LIMITED                The client has used up its allowance, or too many older versions of the catalog were
                            asked for. ``retryAfter`` is in seconds.
OVERLOADED                  No slot became free for the operation. ``retryAfter`` is in seconds.
BAD_USER_INPUT              An argument or variable is wrong.
PERSISTED_QUERY_NOT_FOUND   This and the other codes of ``gateway.persisted.document_lookup``.
FORBIDDEN                   Only the router may ask for this.
UPSTREAM_TIMEOUT            This and the other codes of ``upstream.client.upstream_errors``, with
                            ``retryAfter`` if it is known.
STORAGE_UNAVAILABLE         The file of the catalog cannot be used, has no catalog yet, or its history is damaged.
INTERNAL_SERVER_ERROR       The gateway failed. The message is masked; the log has the cause under ``errorId``,
                            which all errors of one kind within a minute share.
=========================== ==========================================================================
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from typing import Any

from graphql import GraphQLError, GraphQLSyntaxError

from catalog.history import HistoryDamaged, TooManyRebuilds, VersionUnknown
from engine import OutOfTime, TooComplex
from gateway.fault_log import FaultLog
from gateway.retry_later_errors import RetryLater
from resolvers import BadUserInput, Forbidden
from upstream.client import StorageUnavailable, UpstreamBadData, UpstreamError

MAX_MESSAGE = 1000
"""The most characters of a message. GraphQL's own messages repeat the value that is wrong, however long it is."""
_BEGINNING, _END = 500, 300
"""The characters that are kept of a longer message. The value is in its middle; what is wrong is said around it."""

ErrorEntry = dict[str, Any]
"""An entry of ``errors`` in a response. Its ``extensions`` have a ``code``."""

_STORAGE_FAULTS = FaultLog()
_UNEXPECTED = FaultLog()
"""The two are apart, so that a storage with many faults does not keep an unexpected error out of the log."""

_BEYOND_INT = re.compile(r"Int cannot represent non 32-bit signed integer value: (-?\d{1,40})")
_UNFIT_VARIABLE = re.compile(r"Variable '\$\w+' has invalid value: ")


def codes_of(entries: Iterable[ErrorEntry]) -> tuple[str, ...]:
    """Return the codes of errors."""
    return tuple(entry["extensions"]["code"] for entry in entries)


def request_error(error: GraphQLError) -> ErrorEntry:
    """Return an error that kept the operation from running, as an entry of ``errors``."""
    if isinstance(error.original_error, TooComplex):
        return _entry(error, error.message, _beyond(error.original_error))
    code = "GRAPHQL_PARSE_FAILED" if isinstance(error, GraphQLSyntaxError) else "GRAPHQL_VALIDATION_FAILED"
    return _entry(error, error.message, {"code": code})


def later_error(error: RetryLater) -> ErrorEntry:
    """Return the error of an operation that is not answered now, as an entry of ``errors``."""
    return {"message": str(error), "extensions": {"code": error.code, "retryAfter": error.retry_after}}


def start_error(error: GraphQLError) -> ErrorEntry:
    """Return an error that kept a subscription from starting, as an entry of ``errors``.

    Strawberry does not tell what kind it is: a document that is wrong, a variable, or an argument.
    """
    is_of_the_document = error.path is None and error.original_error is None
    if is_of_the_document and not _UNFIT_VARIABLE.match(error.message):
        return request_error(error)
    return field_error(error)


def field_error(error: GraphQLError) -> ErrorEntry:
    """Return an error that occurred while the operation ran, as an entry of ``errors``."""
    cause = error.original_error
    if isinstance(cause, UpstreamError | TooManyRebuilds):
        extensions: dict[str, object] = {"code": cause.code}
        if cause.retry_after is not None:
            extensions["retryAfter"] = cause.retry_after
        return _entry(error, str(cause), extensions)
    if isinstance(cause, HistoryDamaged):
        _STORAGE_FAULTS.write(logging.ERROR, str(cause))
        return _entry(error, str(cause), {"code": StorageUnavailable.code})
    if isinstance(cause, VersionUnknown):
        return _entry(error, str(cause), {"code": BadUserInput.code})
    if isinstance(cause, StorageUnavailable):
        _STORAGE_FAULTS.write(logging.WARNING, str(cause))
        return _entry(error, cause.told, {"code": cause.code})
    if isinstance(cause, TooComplex):
        return _entry(error, str(cause), _beyond(cause))
    if isinstance(cause, BadUserInput | Forbidden | OutOfTime):
        return _entry(error, str(cause), {"code": cause.code})
    if error.path is None and (cause is None or isinstance(cause, GraphQLError)):
        # graphql-core's own, before the first field: a variable that does not fit.
        return _entry(error, error.message, {"code": BadUserInput.code})
    beyond = _BEYOND_INT.match(error.message)
    if beyond:
        # Numbers come from upstream and from sums of its numbers.
        message = f"Upstream's numbers make {beyond[1]} here, and an Int of GraphQL has 32 bits."
        return _entry(error, message, {"code": UpstreamBadData.code})
    told = masked(cause or error, f"{error.path}: {error.message}")
    return _entry(error, str(told["message"]), told["extensions"])


def masked(error: Exception, where: str) -> dict[str, Any]:
    """Return an unexpected error as an entry of ``errors`` that reveals nothing of it; the log has the rest.

    It has no ``errorId`` if the log does not have its cause, because it had too many others lately.
    """
    error_id = _UNEXPECTED.write_error(error, where)
    if error_id is None:
        return {"message": "The gateway failed here.", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}
    return {
        "message": f"The gateway failed here. Its log has the cause under {error_id}.",
        "extensions": {"code": "INTERNAL_SERVER_ERROR", "errorId": error_id},
    }


def _beyond(cause: TooComplex) -> dict[str, object]:
    told: dict[str, object] = {
        "code": cause.code,
        "limit": cause.limit,
        "max": cause.allowed,
        "value": cause.value,
    }
    return told if cause.path is None else told | {"path": cause.path}


def _entry(error: GraphQLError, message: str, extensions: dict[str, object]) -> ErrorEntry:
    entry: ErrorEntry = {"message": _bounded(message)}
    if error.locations:
        entry["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path is not None:
        entry["path"] = list(error.path)
    return entry | {"extensions": extensions}


def _bounded(message: str) -> str:
    if len(message) <= MAX_MESSAGE:
        return message
    left_out = len(message) - _BEGINNING - _END
    return f"{message[:_BEGINNING]}… ({left_out:,} characters left out) …{message[-_END:]}"
