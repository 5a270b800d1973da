"""Declares the rows of the settings table, and reads the values that they are given."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Annotated, Any, NamedTuple, get_type_hints

import msgspec


class Row(NamedTuple):
    """Holds what the table says of one setting."""

    default: Any
    type: Any
    """Its type with its bounds."""
    description: str
    """The meaning of the setting."""
    allowed: str
    """The allowed values, in words."""
    secret: bool
    """Whether its value must never be shown."""
    check: Callable[[str], str] | None
    """Returns a text as it is used, or raises a :class:`ValueError`."""

    def read(self, value: object) -> Any:
        """Return the value that a text, or the value of a flag, stands for.

        :raises ValueError: it is not allowed.
        """
        numeric = self.type.__origin__ in (int, float)
        # Blanks around a number are easily left in a file of variables.
        text = value.strip() if numeric and isinstance(value, str) else value
        read = msgspec.convert(text, self.type, strict=False)
        return read if self.check is None else self.check(read)


def Field(
    *,
    default: Any,
    description: str,
    examples: Sequence[str],
    check: Callable[[str], str] | None = None,
    repr: bool = True,
    **bounds: Any,
) -> Any:
    """Declare the row of a setting, as the field of a dataclass.

    ``examples`` has one text, which says what is allowed. A setting without ``repr`` is a secret. ``bounds`` are those
    of :class:`msgspec.Meta`, such as ``ge`` and ``min_length``.
    """
    (allowed,) = examples
    told = {"description": description, "allowed": allowed, "check": check, "bounds": msgspec.Meta(**bounds)}
    return dataclasses.field(default=default, repr=repr, metadata=told)


def rows_of(settings: type) -> dict[str, Row]:
    """Return the rows of the table by the names of the settings, in their order."""
    types = get_type_hints(settings)
    return {
        field.name: Row(
            default=field.default,
            type=Annotated[types[field.name], field.metadata["bounds"]],
            description=field.metadata["description"],
            allowed=field.metadata["allowed"],
            secret=not field.repr,
            check=field.metadata["check"],
        )
        for field in dataclasses.fields(settings)
    }
