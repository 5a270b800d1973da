"""Records the receipt of an answer: what it cost upstream.

Callers open ``recording(receipt)``, and the client notes each exchange on the receipt that is open in its context.
Tasks inherit the context of the code that starts them, so loaders need not know of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Exchange:
    """Describes one request to upstream and its answer. Times are in seconds of the monotonic clock."""

    kind: str
    """The kind of request: ``package``, ``grids page``, ``search``, ..."""
    bytes: int
    """The size of the answer's body; 0 when none came."""
    asked: float
    """The time when the answer was wanted. The request may have waited for its turn before it was sent."""
    ended: float


@dataclass(eq=False, slots=True)
class Receipt:
    """Holds the exchanges behind one answer, and counts the records that needed none."""

    exchanges: list[Exchange] = field(default_factory=list)
    from_memory: int = 0
    not_looked_up: set[Hashable] = field(default_factory=set)
    """The keys that were answered as missing because the catalog does not know them, and upstream was not asked."""
    begin_waiting: Callable[[], None] = lambda: None
    """Called each time that the answer begins to wait for upstream."""

    @property
    def rounds(self) -> int:
        """Return how many exchanges had to wait for one another: the longest chain of them."""
        rounds, end = 0, float("-inf")
        for exchange in sorted(self.exchanges, key=lambda exchange: exchange.ended):
            if exchange.asked >= end:
                rounds, end = rounds + 1, exchange.ended
        return rounds

    @property
    def milliseconds(self) -> float:
        """Return the time from the first question to the last answer."""
        if not self.exchanges:
            return 0.0
        first = min(exchange.asked for exchange in self.exchanges)
        return (max(exchange.ended for exchange in self.exchanges) - first) * 1000

    def summary(self) -> dict[str, object]:
        """Return the receipt as ``extensions.upstream`` shows it: counts and times, no URL and no header."""
        return {
            "requests": len(self.exchanges),
            "requestsByKind": dict(Counter(exchange.kind for exchange in self.exchanges)),
            "rounds": self.rounds,
            "bytes": sum(exchange.bytes for exchange in self.exchanges),
            "recordsFromMemory": self.from_memory,
            "milliseconds": round(self.milliseconds, 1),
        }

    def note(self, exchange: Exchange) -> None:
        """Put an exchange on the receipt."""
        self.exchanges.append(exchange)


_open_receipt: ContextVar[Receipt | None] = ContextVar("open_receipt", default=None)
_note: ContextVar[Callable[[Exchange], None] | None] = ContextVar("note", default=None)


class recording:
    """Makes ``receipt`` the open one inside, so that every exchange that starts in this context is noted on it.

    It is a class, because that takes half of the time of a generator, and every operation is run inside.
    """

    __slots__ = ("_noted", "_opened", "_receipt")

    def __init__(self, receipt: Receipt) -> None:
        self._receipt = receipt

    def __enter__(self) -> None:
        self._opened = _open_receipt.set(self._receipt)
        self._noted = _note.set(self._receipt.note)

    def __exit__(self, *_: object) -> None:
        _note.reset(self._noted)
        _open_receipt.reset(self._opened)


@contextmanager
def noting(note: Callable[[Exchange], None]) -> Iterator[None]:
    """Give every exchange that starts in this context to ``note``. This is for loads that several receipts share."""
    token = _note.set(note)
    try:
        yield
    finally:
        _note.reset(token)


def open_receipt() -> Receipt | None:
    """Return the receipt that is open in this context."""
    return _open_receipt.get()


def note(exchange: Exchange) -> None:
    """Note an exchange on the open receipt of this context, if there is one."""
    give = _note.get()
    if give is not None:
        give(exchange)


def note_from_memory(records: int) -> None:
    """Note on the open receipt, if there is one, that records came without an exchange."""
    receipt = _open_receipt.get()
    if receipt is not None:
        receipt.from_memory += records


def note_waiting() -> None:
    """Note on the open receipt, if there is one, that the answer begins to wait for upstream."""
    receipt = _open_receipt.get()
    if receipt is not None:
        receipt.begin_waiting()


def note_not_looked_up(key: Hashable) -> None:
    """Note on the open receipt, if there is one, that the catalog alone said that no record has this key."""
    receipt = _open_receipt.get()
    if receipt is not None:
        receipt.not_looked_up.add(key)
