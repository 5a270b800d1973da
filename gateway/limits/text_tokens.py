"""Limits tokens, from which the parser makes the nodes that validation visits."""

from __future__ import annotations

import re

from engine import TooComplex

_TOKEN = re.compile(
    r'''
    """ (?: \\""" | [^"] | "(?!"") )*+ (?:""")?     # a block string
    | " (?: \\. | [^"\\\n\r] )*+ "?                 # a string
    | \#[^\n\r]*+                                   # a comment: the lexer keeps it like a token
    | [_A-Za-z][_0-9A-Za-z]*+                       # a name
    | -?[0-9]++ (?: \.[0-9]++ )?+ (?: [eE][+-]?[0-9]++ )?+   # a number
    | \.\.\.
    | [!$&()\[\]{}:=@|]
    ''',
    re.VERBOSE,
)
"""The tokens of the language (spec, 2.1.6) and comments. No alternative backtracks, and a string that does not end
takes the rest, so that any text is read only once. The parser reports what is not GraphQL."""


def check_tokens(text: str, most: int) -> int:
    """Check that a document has at most ``most`` tokens, and return their number.

    :raises TooComplex: it has more.
    """
    count = sum(1 for _token in _TOKEN.finditer(text))
    if count > most:
        raise TooComplex(f"The document has {count:,} tokens; {most:,} are allowed.", "tokens", most, count)
    return count
