"""Provides the text of an operation: what it selects, its fragments, and those of its variables that it uses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Selected:
    """A field or a fragment, and what is selected of it."""

    text: str
    below: list[Selected] | None = None

    def __str__(self) -> str:
        return self.text if self.below is None else f"{self.text} {{ {' '.join(map(str, self.below))} }}"


@dataclass
class Operation:
    """An operation with the values of its variables."""

    selected: list[Selected]
    fragments: list[Selected] = field(default_factory=list)
    declared: list[str] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        whole = f"{{ {' '.join(map(str, self.selected))} }}"
        used = [each for each in self.fragments if self._is_used(each)]
        texts = [whole, *map(str, used)]
        names = [
            each for each in self.declared if any(_names(each.partition(":")[0], text) for text in texts)
        ]
        return " ".join([f"query Q({', '.join(names)})" if names else "query Q", *texts])

    def _is_used(self, fragment: Selected) -> bool:
        spread = f"...{fragment.text.split()[1]}"
        return any(_names(spread, str(each)) for each in self.selected) or any(
            _names(spread, str(other)) and self._is_used(other)
            for other in self.fragments
            if other is not fragment
        )


def _names(name: str, text: str) -> bool:
    return f"{name} " in f"{text} ".replace(")", " ").replace(",", " ").replace("]", " ").replace("}", " ")
