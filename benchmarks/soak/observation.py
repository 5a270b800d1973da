"""Observes a gateway in a soak: the outcomes of its clients, and what its process held before, meanwhile and after."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from statistics import median

MAX_GROWTH = 24_000_000
"""Bytes by which memory may grow after the warm-up: allocators and caches that are not full yet take some."""
MIN_GOOD = 0.9
"""The share of the good clients that get a whole answer. The others may be told that a busy machine is overloaded."""
BUSY = ("200", "503", "504", "TimeoutError")
"""What a good client may meet."""
FAILURES = ("500", "502")
"""What no client may meet."""


@dataclass(frozen=True)
class Held:
    """Says what a process holds at one moment."""

    tasks: dict[str, int]
    """By the name of the function that they run."""
    descriptors: int

    def more_than(self, before: Held) -> dict[str, int]:
        """Return how many tasks and descriptors there are more than before, by name; nothing if there are none."""
        more = Counter(self.tasks) - Counter(before.tasks)
        if self.descriptors > before.descriptors:
            more["descriptors"] = self.descriptors - before.descriptors
        return dict(more)


@dataclass
class Observation:
    """Holds what was seen in the seconds of a soak."""

    seconds: float
    clients: Counter[str] = field(default_factory=Counter)
    """What came of them, by their sort and the outcome."""
    memory: list[int] = field(default_factory=list)
    """Bytes in RAM, in the order of time."""
    before: Held = field(default_factory=lambda: Held({}, 0))
    most: Held = field(default_factory=lambda: Held({}, 0))
    after: Held = field(default_factory=lambda: Held({}, 0))
    gateway_processor: float = 0.0
    """Seconds of processor time."""

    def saw(self, held: Held, memory: int) -> None:
        """Note what was held at a moment in between."""
        self.memory.append(memory)
        if (
            sum(held.tasks.values()) + held.descriptors
            > sum(self.most.tasks.values()) + self.most.descriptors
        ):
            self.most = held

    @property
    def memory_after_warm_up(self) -> int:
        """Return the median memory of the fifth of the time that follows the first third."""
        third = len(self.memory) // 3
        return int(median(self.memory[third : third + len(self.memory) // 5 + 1]))

    @property
    def memory_at_the_end(self) -> int:
        """Return the median memory of the last fifth."""
        return int(median(self.memory[-(len(self.memory) // 5 + 1) :]))

    def faults(self) -> list[str]:
        """Return what is not as it should be, each in a sentence."""
        found = []
        growth = self.memory_at_the_end - self.memory_after_warm_up
        if growth > MAX_GROWTH:
            found.append(f"Memory grew by {growth / 1e6:.0f} MB after the warm-up.")
        if left := self.after.more_than(self.before):
            found.append(f"There was more in the end than at the start: {left}.")
        good: Counter[str] = Counter()
        for name, count in self.clients.items():
            sort, _, outcome = name.partition(": ")
            if sort.startswith("good"):
                good[outcome] += count
            if outcome in FAILURES:
                found.append(f"The gateway failed {count} clients: {name}.")
        if wrong := {outcome: count for outcome, count in good.items() if outcome not in BUSY}:
            found.append(f"Good clients met errors: {wrong}.")
        if good["200"] < MIN_GOOD * good.total():
            found.append(f"Only {good['200']} of {good.total()} good clients got a whole answer.")
        return found

    def table(self) -> str:
        """Return the figures as Markdown."""
        before, most, after = self.before, self.most, self.after
        rows = [
            ("memory after the warm-up", f"{self.memory_after_warm_up / 1e6:.1f} MB"),
            ("memory at the end", f"{self.memory_at_the_end / 1e6:.1f} MB"),
            ("the most memory", f"{max(self.memory) / 1e6:.1f} MB"),
            (
                "tasks before, at most, after",
                ", ".join(str(sum(held.tasks.values())) for held in (before, most, after)),
            ),
            (
                "descriptors before, at most, after",
                f"{before.descriptors}, {most.descriptors}, {after.descriptors}",
            ),
            ("clients", f"{self.clients.total():,}"),
            ("processor time of the gateway", f"{self.gateway_processor:.0f} s"),
            *((f"clients: {name}", f"{count:,}") for name, count in sorted(self.clients.items())),
        ]
        lines = ["| what | figure |", "| --- | ---: |", *(f"| {name} | {figure} |" for name, figure in rows)]
        return "\n".join(lines) + "\n"
