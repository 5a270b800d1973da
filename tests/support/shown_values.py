"""Shows values as texts that are equal only if the values and their classes are."""

from __future__ import annotations

from enum import Enum


def shown(value: object) -> str:
    """Return a value with the classes of all that is in it; NaN is equal to itself here."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {shown(each)}' for key, each in sorted(value.items()))}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(shown, value))}]"
    return f"{type(value).__name__} {value.name if isinstance(value, Enum) else value!r}"
