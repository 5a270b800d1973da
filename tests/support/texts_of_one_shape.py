"""Provides texts of the same tokens with other literals, taken apart by graphql-core's own lexer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from graphql import Lexer, Source, Token, TokenKind

LITERALS = (TokenKind.STRING, TokenKind.INT, TokenKind.FLOAT)

STRINGS = [
    '"slug-1"',
    '"slug-3"',
    '"grid-2"',
    '"category-1"',
    '"django"',
    '""',
    '" "',
    '"no such"',
    '"7"',
    '"a\\"b\\\\c"',
    '"slug-\\u0033"',
    '"slug-\\u{33}"',
    '"\\ud83d\\ude00"',
    '"😀"',
    '"\\n\\t\\/"',
    '"# no comment"',
    '"2020-06-01T12:00:00Z"',
    '"2020-02-03"',
    '"b2Zmc2V0OjI="',
    '"RED"',
    '"null"',
]
NUMBERS = [
    "0",
    "1",
    "2",
    "3",
    "5",
    "7",
    "99",
    "-1",
    "-0",
    "-2147483648",
    "2147483648",
    "-2147483649",
    "1" * 30,
]
"""They are small, or beyond 32 bits: some resolver may make a list of so many items."""
FLOATS = ["0.5", "1.0", "-2.25", "1e3", "1E-3", "1e400", "0.1e+2"]
OTHERS = ['"""slug-3"""', "null", "true", "RED", "[]", "{}", "007", "1.", '"\\x"']
"""What has another shape, or is no GraphQL."""

_BY_KIND: Mapping[TokenKind, Sequence[str]] = {
    TokenKind.STRING: STRINGS,
    TokenKind.INT: NUMBERS,
    TokenKind.FLOAT: FLOATS,
}


def with_other_literals(text: str, draws: Random) -> str:
    """Return the text with some of its literals replaced: mostly by others of their kind, equal ones alike or not."""
    together = draws.random() < 0.5
    replaced: dict[str, str] = {}
    made: list[str] = []
    position = 0
    for token in literals_in(text):
        written = text[token.start : token.end]
        other = replaced.get(written) if together else None
        if other is None:
            other = _other(token.kind, written, draws)
            replaced[written] = other
        made += (text[position : token.start], other)
        position = token.end
    made.append(text[position:])
    return "".join(made)


def literals_in(text: str) -> list[Token]:
    """Return the strings and numbers of a document, but for block strings.

    :raises GraphQLSyntaxError: it has no tokens.
    """
    lexer = Lexer(Source(text))
    found = []
    while (token := lexer.advance()).kind is not TokenKind.EOF:
        if token.kind in LITERALS:
            found.append(token)
    return found


def _other(kind: TokenKind, written: str, draws: Random) -> str:
    chance = draws.random()
    if chance < 0.3:
        return written
    if chance < 0.96:
        return draws.choice(_BY_KIND[kind])
    return draws.choice([*STRINGS, *NUMBERS, *FLOATS, *OTHERS])
