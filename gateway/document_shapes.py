"""Finds the shape of a document's text: what is left when its strings and numbers are taken out.

Clients that write values into the text send a new text each time, but few shapes. Documents of one shape have the same
tokens but for these literals, so everything that was found out about one is true of the others, as far as it does not
depend on the values of the literals.

A text is read once, by one regular expression that never backtracks. Literals that are equal have the same number in
the shape, because two fields of one name may have equal arguments only.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

MARK = "\0"
"""Stands before the kind and the number of a literal in a shape. A text that has it has no shape."""

LONGEST, MAX_LITERALS = 20_000, 1_000
"""A longer text, in characters, or one with more literals, has no shape: it would hold up the event loop for more than
five milliseconds. The longest of ``examples/`` has 665 characters."""

STRING, INT, FLOAT = "s", "i", "f"
"""The kinds of literals. The string ``"1"`` and the number ``1`` differ."""

_PIECES = re.compile(
    r"""
    (                                                       # what stays:
        (?: [^"\#0-9-]++                                    # punctuation, blanks and names,
          | (?<=[_0-9A-Za-z])[0-9]++                        # the numbers in names,
          | \#[^\n\r]*+                                     # comments,
          | \"{3} (?: [^"\\]++ | \\"{3} | \\ | "(?!"") )*+ \"{3}    # and block strings
        )*+
    )
    (?: ( " (?: [^"\\\n\r\ud800-\udfff]++ | \\[^\n\r] )*+ " )(?!")
      | ( -? (?: 0 | [1-9][0-9]*+ ) )(?![_0-9A-Za-z.])
      | ( -? (?: 0 | [1-9][0-9]*+ ) (?: \.[0-9]++ )?+ (?: [eE][+-]?[0-9]++ )?+ )(?![_0-9A-Za-z.])
      | \Z
      | ( [\s\S]++ )                                        # the rest, in which something is no GraphQL
    )
    """,
    re.VERBOSE,
)
"""Matches one piece: what stays up to a literal, and the literal. No alternative backtracks."""


class ShapedText(NamedTuple):
    """Holds a text in two parts: its shape, and the literals that were taken out of it."""

    shape: str
    """The text with a mark for each literal. It is no document, so it is never the text of one."""
    literals: list[str]
    """The values of the different literals, by their numbers: strings without escapes, numbers as they are written."""
    numbers: dict[int, int]
    """The number of the literal that begins at each of these positions in the text."""
    ends: list[int]
    """The positions in the text where its literals end."""


def shaped(text: str) -> ShapedText | None:
    """Return the two parts of a text; ``None`` if it has no literals, or has to be read whole."""
    if len(text) > LONGEST or MARK in text:
        return None
    pieces = _PIECES.findall(text)
    if len(pieces) > MAX_LITERALS + 2:
        return None
    shape: list[str] = []
    literals: list[str] = []
    number_of: dict[str, int] = {}
    numbers: dict[int, int] = {}
    ends: list[int] = []
    position = 0
    for kept, string, int_, float_, rest in pieces:
        if rest:
            return None
        position += len(kept)
        written = string or int_ or float_
        if not written:
            shape.append(kept)  # the end
            continue
        if string:
            kind, value = STRING, string[1:-1]
            if "\\" in value:
                unescaped = _unescaped(string)
                if unescaped is None:
                    return None
                value = unescaped
        else:
            kind, value = (INT if int_ else FLOAT), written
        number = number_of.setdefault(kind + value, len(literals))
        if number == len(literals):
            literals.append(value)
        shape += (kept, MARK, kind, str(number))
        numbers[position] = number
        position += len(written)
        ends.append(position)
    return ShapedText("".join(shape), literals, numbers, ends) if literals else None


def _unescaped(string: str) -> str | None:
    """Return the value of a string with escapes; ``None`` if it has some that JSON lacks, or halves of characters."""
    try:
        value = json.loads(string)
        value.encode()
    except ValueError:
        return None
    assert isinstance(value, str)
    return value
