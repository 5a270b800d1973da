"""Makes the answer to a GraphQL request from what the executions give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from graphql import GraphQLError, GraphQLSyntaxError
from msgspec.structs import replace
from strawberry.types.execution import ExecutionResult, PreExecutionError

from catalog import Snapshot
from catalog.history import HistoryDamaged, TooManyRebuilds, VersionUnknown
from engine import AnswerTooLarge, DependsOn, OutOfTime, Ran, Stopped, TooComplex
from gateway.error_format import ErrorEntry, codes_of, field_error, later_error, request_error, start_error
from gateway.retry_later_errors import RateLimited, RetryLater
from resolvers import BadUserInput, Forbidden
from upstream.client import StorageUnavailable

_encode = msgspec.json.Encoder().encode

RequestFailure = Literal["unparsable", "unfit", "late", "overloaded", "limited", "fault"]
"""Why a request has no data: its document is not GraphQL; it cannot run as it is, or went beyond a limit; it was
stopped at its deadline; it got no slot; its client has used up its allowance; or the gateway failed."""


class GraphQLAnswer(msgspec.Struct, frozen=True):
    """Holds the answer to a request."""

    body: bytes
    """The GraphQL response, a JSON object."""
    failed: bool
    """Whether the response has ``errors``."""
    failure: RequestFailure | None = None
    """Why the response has no ``data`` (spec, 7.1.2); None if it has."""
    has_data: bool = True
    """Whether its ``data`` is there and not null."""
    depends_on: DependsOn = DependsOn(0)
    """What the answer depends on, apart from the operation."""
    made_of: Snapshot | None = None
    """The catalog that it was made from, if there was one."""
    retry_after: int | None = None
    """Seconds after which an operation that was not answered now may succeed; None for all others."""
    codes: tuple[str, ...] = ()
    """The codes of its errors."""
    extensions: dict[str, Any] = msgspec.field(default_factory=dict)
    """What the execution adds to the response. It is not in ``body`` yet."""

    @property
    def ran(self) -> bool:
        """Return whether the operation ran to its end, so that the response has ``data``, which may be null."""
        return self.failure is None

    @property
    def outcome(self) -> str:
        """Return the outcome of the operation, in one word: ``answered``, ``errors``, or why it has no data."""
        return self.failure or ("errors" if self.failed else "answered")

    @property
    def can_be_cached(self) -> bool:
        """Return whether the same operation has the same answer for as long as the catalog is the same."""
        if self.made_of is None or self.failed:
            return False
        return self.depends_on.is_within(DependsOn.CATALOG)

    def decoded(self) -> dict[str, Any]:
        """Return the response as a Python value."""
        response: dict[str, Any] = msgspec.json.decode(self.body)
        return response

    def with_extensions(self, extensions: dict[str, object]) -> GraphQLAnswer:
        """Return the same answer with ``extensions`` added at the end."""
        return replace(self, body=b'%b,"extensions":%b}' % (self.body[:-1], _encode(extensions)))


def answer_of(result: ExecutionResult, most_bytes: int) -> GraphQLAnswer:
    """Return the answer that Strawberry's execution gave.

    :raises Stopped: the answer is too large.
    """
    errors = result.errors or []
    if isinstance(result, PreExecutionError):
        return refusal(errors)
    if result.data is None and all(error.path is None for error in errors):
        return _without_data([field_error(error) for error in errors], _failure(errors))
    # They are sorted into the order of the answer, because the execution met them in the order in which they occurred.
    errors = sorted(errors, key=lambda error: _place(error.path or [], result.data))
    return _answer(_encode(result.data), errors, most_bytes)


def answer_of_engine(ran: Ran, most_bytes: int) -> GraphQLAnswer:
    """Return the answer that the engine gave.

    :raises Stopped: the answer is too large.
    """
    return _answer(ran.data, ran.errors, most_bytes)


def answer_of_catalog(data: bytes, snapshot: Snapshot) -> GraphQLAnswer:
    """Return the answer without errors that the engine gave, if the catalog alone decided it."""
    return GraphQLAnswer(b'{"data":%b}' % data, failed=False, made_of=snapshot, depends_on=DependsOn.CATALOG)


def event_of(result: ExecutionResult, most_bytes: int) -> GraphQLAnswer:
    """Return the answer to a subscription at one event, or why it cannot start.

    :raises Stopped: the answer is too large.
    """
    if isinstance(result, PreExecutionError):
        return _without_data([start_error(error) for error in result.errors or []], "unfit")
    return answer_of(result, most_bytes)


def refusal(errors: Sequence[GraphQLError]) -> GraphQLAnswer:
    """Return the answer to an operation that cannot run."""
    is_syntax = any(isinstance(error, GraphQLSyntaxError) for error in errors)
    return _without_data([request_error(error) for error in errors], "unparsable" if is_syntax else "unfit")


def stopped_by(stopped: Stopped) -> GraphQLAnswer:
    """Return the answer to an operation that was stopped."""
    # The traceback is removed, because it would hold everything that was looked at.
    error = GraphQLError(str(stopped), original_error=stopped.error.with_traceback(None))
    return _without_data([field_error(error)], _failure([error]))


NOT_AT_HAND = (BadUserInput, TooManyRebuilds, VersionUnknown, HistoryDamaged, StorageUnavailable)
"""Why the catalog cannot be had that a query with ``@asOf`` asks for."""


def not_at_hand(error: Exception) -> GraphQLAnswer:
    """Return the answer to an operation whose catalog cannot be had, for one of the reasons above."""
    entry = field_error(GraphQLError(str(error), original_error=error))
    failure: RequestFailure = "unfit" if isinstance(error, BadUserInput | VersionUnknown) else "fault"
    retry_after = None
    if isinstance(error, TooManyRebuilds):
        failure, retry_after = "overloaded", error.retry_after
    return _without_data([entry], failure, retry_after)


def later_answer(error: RetryLater) -> GraphQLAnswer:
    """Return the answer to an operation that is not answered now."""
    failure: RequestFailure = "limited" if isinstance(error, RateLimited) else "overloaded"
    return _without_data([later_error(error)], failure, error.retry_after)


def _failure(errors: Sequence[GraphQLError]) -> RequestFailure:
    """Return why there is no data, as the errors without a path say."""
    causes = [error.original_error for error in errors]
    if any(isinstance(cause, OutOfTime) for cause in causes):
        return "late"
    # graphql-core's own errors are about variables; others are the gateway's fault unless a client can mend them.
    of_client = (GraphQLError, BadUserInput, Forbidden, TooComplex)
    return "unfit" if all(cause is None or isinstance(cause, of_client) for cause in causes) else "fault"


def _place(path: Sequence[str | int], data: Any) -> list[str | int]:
    """Return a sort key for the position of a path in the answer: numbers, and below a null the keys themselves."""
    place: list[str | int] = []
    for key in path:
        place.append(list(data).index(key) if isinstance(data, dict) else key)
        data = None if data is None else data[key]
    return place


def _answer(data: bytes, errors: Sequence[GraphQLError], most_bytes: int) -> GraphQLAnswer:
    body, entries = b'{"data":%b}' % data, [field_error(error) for error in errors]
    if entries:
        body = b'{"errors":%b,"data":%b}' % (_encode(entries), data)
    if len(body) > most_bytes:
        raise Stopped(AnswerTooLarge(most_bytes, len(body)))
    return GraphQLAnswer(body, failed=bool(entries), has_data=data != b"null", codes=codes_of(entries))


def _without_data(
    entries: Sequence[ErrorEntry], failure: RequestFailure, retry_after: int | None = None
) -> GraphQLAnswer:
    body = _encode({"errors": entries})
    return GraphQLAnswer(
        body, True, failure, has_data=False, retry_after=retry_after, codes=codes_of(entries)
    )
