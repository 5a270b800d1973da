"""Defines what can go wrong with the upstream, as rules that tests and benchmarks set.

    upstream.faults.add(Fault(Status(503, retry_after="2"), path="/api/v4/packages/", times=3))
    upstream.faults.add(Fault(Latency(0.2), rate=0.1))
    upstream.faults.state = "down"

The effects of all rules that match a request are combined, in the order of the rules, up to the first that ends the
request.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Literal

import msgspec

from .row_types import Kind


class Latency(msgspec.Struct, frozen=True, tag="latency", tag_field="type", forbid_unknown_fields=True):
    """Delays the answer by a number of seconds."""

    seconds: float


class StatusFault(msgspec.Struct, frozen=True, tag="status", tag_field="type", forbid_unknown_fields=True):
    """Answers with a site page of this status, or with an error of the API itself if it `is_json`."""

    code: Literal[301, 403, 404, 429, 500, 502, 503, 504]
    retry_after: str | None = None
    """Seconds or an HTTP date, sent as it is."""
    location: str | None = None
    """Where a 301 points."""
    is_json: bool = False


class ContentType(
    msgspec.Struct, frozen=True, tag="content-type", tag_field="type", forbid_unknown_fields=True
):
    """Sends the right body with a wrong content type."""

    value: str = "text/html; charset=utf-8"


class Truncated(msgspec.Struct, frozen=True, tag="truncated", tag_field="type", forbid_unknown_fields=True):
    """Sends only the first part of the body.

    If it is framed, the Content-Length fits the part, so that only the JSON is broken. Otherwise the Content-Length is
    that of the whole body, and the connection is cut.
    """

    share: float = 0.5
    framed: bool = False


class Dropped(msgspec.Struct, frozen=True, tag="dropped", tag_field="type", forbid_unknown_fields=True):
    """Ends the connection before any byte of an answer."""


class BadField(msgspec.Struct, frozen=True, tag="bad-field", tag_field="type", forbid_unknown_fields=True):
    """Gives one field of one record a wrong value, in every answer that has the record."""

    id: int
    field: str
    value: object
    kind: Kind = "packages"


class Poisoned(msgspec.Struct, frozen=True, tag="poisoned", tag_field="type", forbid_unknown_fields=True):
    """Makes one row impossible to serve: its detail and every list page with it is a 500 (section 3)."""

    id: int
    kind: Kind = "packages"


class Oversized(msgspec.Struct, frozen=True, tag="oversized", tag_field="type", forbid_unknown_fields=True):
    """Sends the right JSON, followed by blanks up to a number of bytes."""

    bytes: int


class Endless(msgspec.Struct, frozen=True, tag="endless", tag_field="type", forbid_unknown_fields=True):
    """Sends the right JSON, followed by endless blanks without a Content-Length, until the client has gone."""


class ShortPage(msgspec.Struct, frozen=True, tag="short-page", tag_field="type", forbid_unknown_fields=True):
    """Leaves out the last records of a list page."""

    missing: int = 1


class Nested(msgspec.Struct, frozen=True, tag="nested", tag_field="type", forbid_unknown_fields=True):
    """Adds a field that the API lacks, with a number of nested arrays. Arrays of hits do not get it."""

    depth: int


class WrongCount(
    msgspec.Struct, frozen=True, tag="wrong-count", tag_field="type", forbid_unknown_fields=True
):
    """Multiplies the number of records that a list says it has."""

    factor: float


class Slow(msgspec.Struct, frozen=True, tag="slow", tag_field="type", forbid_unknown_fields=True):
    """Sends the body slowly: a number of bytes, then a pause, and so on."""

    chunk: int = 64
    pause: float = 0.05


class InsertAfterList(
    msgspec.Struct, frozen=True, tag="insert-after-list", tag_field="type", forbid_unknown_fields=True
):
    """Inserts a package after each list of packages (contract, section 2: drift)."""


class RemoveAfterList(
    msgspec.Struct, frozen=True, tag="remove-after-list", tag_field="type", forbid_unknown_fields=True
):
    """Removes this package after a list of packages, if it is still there."""

    id: int


Effect = (
    Latency
    | StatusFault
    | ContentType
    | Truncated
    | Dropped
    | BadField
    | Poisoned
    | Oversized
    | Endless
    | ShortPage
    | Nested
    | WrongCount
    | Slow
    | InsertAfterList
    | RemoveAfterList
)

State = Literal["up", "down", "maintenance", "database-down"]
"""`down` drops connections, `maintenance` is the 503 page, `database-down` a 500 for whatever needs rows."""


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Describes one rule: an effect, the requests that it is for, and how often it happens."""

    effect: Effect
    path: str | None = None
    """The beginning of the path."""
    pattern: str | None = None
    """A regular expression that is searched in path and query."""
    times: int | None = None
    """How many times the rule applies; then it is gone. None is for ever."""
    rate: float = 1.0
    """In this share of the matching requests, drawn with `seed`."""
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.rate <= 1:
            raise ValueError(f"rate is a share from 0 to 1, not {self.rate}.")
        if self.times is not None and self.times < 1:
            raise ValueError(f"times is at least 1, not {self.times}.")
        try:
            re.compile(self.pattern or "")
        except re.error as error:
            raise ValueError(f"pattern is no regular expression: {error}.") from error


class Faults:
    """Holds the rules in force, and the state of the whole upstream."""

    state: State

    def __init__(self) -> None:
        self.state = "up"
        self._rules: list[_Rule] = []

    def add(self, fault: Fault) -> None:
        """Put a rule in force, after the present ones."""
        self._rules.append(_Rule(fault))

    def clear(self) -> None:
        """Take all rules away and bring the upstream up."""
        self._rules.clear()
        self.state = "up"

    @property
    def active(self) -> list[Fault]:
        """Return the rules in force, in order."""
        return [rule.fault for rule in self._rules]

    @property
    def quiet(self) -> bool:
        """Return whether nothing can go wrong."""
        return not self._rules and self.state == "up"

    def effects(self, target: str, kind: Kind | None, ids: Sequence[int], is_list: bool) -> Iterator[Effect]:
        """Yield the effects on one answer; each counts as one of its rule's times."""
        for rule in list(self._rules):
            if rule.concerns(target) and _touches(rule.fault.effect, kind, ids, is_list) and rule.strikes():
                if rule.left == 0:
                    self._rules.remove(rule)
                yield rule.fault.effect


class _Rule:
    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.left = fault.times
        self._random = Random(fault.seed)
        self._search: Callable[[str], object] = re.compile(fault.pattern or "").search

    def concerns(self, target: str) -> bool:
        return target.startswith(self.fault.path or "") and self._search(target) is not None

    def strikes(self) -> bool:
        if self.fault.rate < 1 and self._random.random() >= self.fault.rate:
            return False
        if self.left is not None:
            self.left -= 1
        return True


def _touches(effect: Effect, kind: Kind | None, ids: Sequence[int], is_list: bool) -> bool:
    """Return whether an effect on rows or lists has to do with this answer."""
    match effect:
        case BadField() | Poisoned():
            return effect.kind == kind and effect.id in ids
        case InsertAfterList() | RemoveAfterList():
            return is_list and kind == "packages"
        case WrongCount() | ShortPage():
            return is_list
        case _:
            return True
