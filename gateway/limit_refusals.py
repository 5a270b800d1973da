"""Answers operations that go beyond a limit, and counts them by the limit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from graphql import GraphQLError

from engine import OutOfTime, Stopped, TooComplex
from gateway.graphql_answer import GraphQLAnswer, refusal, stopped_by


class LimitRefusals:
    """Makes the answers of one gateway to what it refuses. ``counts`` has how many went beyond each limit."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def before(self, errors: Sequence[GraphQLError]) -> GraphQLAnswer:
        """Return the answer to an operation that cannot run, for these reasons."""
        for error in errors:
            if isinstance(error.original_error, TooComplex):
                self.counts[error.original_error.limit] += 1
        return refusal(errors)

    def during(self, stopped: Stopped) -> GraphQLAnswer:
        """Return the answer to an operation that was stopped while it ran."""
        if isinstance(stopped.error, TooComplex):
            self.counts[stopped.error.limit] += 1
        elif isinstance(stopped.error, OutOfTime):
            self.counts["seconds"] += 1
        return stopped_by(stopped)
