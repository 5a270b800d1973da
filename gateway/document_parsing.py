"""Parses documents without what only the parser needs, so that they are small in memory and freed at once.

graphql-core leaves at each node the tokens where it begins and ends, all linked in a ring of both directions. A
document that nobody needs would wait for the garbage collector, which would have to look through twice as many objects.
"""

from __future__ import annotations

from typing import ClassVar, cast

import msgspec
from graphql import DocumentNode, Location, Source, Token, TokenKind
from graphql.language.parser import Parser, nested_too_deeply_error

_NO_TOKEN = Token(TokenKind.SOF, 0, 0, 0, 0)


def parse_document(text: str) -> DocumentNode:
    """Parse a document. Its nodes know their locations in the text, but not the tokens there.

    :raises GraphQLSyntaxError: the text is no document, or is nested more deeply than Python can follow.
    """
    parser = _Parser(text)
    first = parser.start_of_file
    try:
        return parser.parse_document()
    except RecursionError:
        pass
    finally:
        _unlink(first)
    raise nested_too_deeply_error(parser)


class _Location(msgspec.Struct, frozen=True, gc=False):
    """Does what graphql-core's location does, without the tokens, and the garbage collector need not look at it."""

    start: int
    end: int
    source: Source
    start_token: ClassVar[Token] = _NO_TOKEN
    end_token: ClassVar[Token] = _NO_TOKEN


class _Parser(Parser):
    @property
    def start_of_file(self) -> Token:
        """Return the first token, to which all others are linked."""
        return self._lexer.token

    def loc(self, start_token: Token) -> Location | None:
        """Return the location of a node, without its tokens."""
        location = _Location(start_token.start, self._lexer.last_token.end, self._lexer.source)
        return cast(Location, location)


def _unlink(token: Token | None) -> None:
    while token is not None:
        following = token.next
        token.prev = token.next = None
        token = following
