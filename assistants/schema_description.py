"""Describes the graph to assistants, one type at a time, because all of it is longer than most of their questions."""

from __future__ import annotations

from functools import lru_cache

from graphql import parse, print_ast
from graphql.language.ast import TypeDefinitionNode

from schema import sdl


class UnknownType(Exception):
    """Says that no type has a name. The message is a sentence that lists the types."""


def described(name: str) -> str:
    """Return a type in the schema language, with the descriptions of its fields.

    :raises UnknownType: there is no such type.
    """
    types = _types()
    try:
        return types[name]
    except KeyError:
        raise UnknownType(f'There is no type "{name}". Send one of {", ".join(types)}.') from None


@lru_cache(maxsize=1)
def _types() -> dict[str, str]:
    definitions = parse(sdl("plain")).definitions
    return {each.name.value: print_ast(each) for each in definitions if isinstance(each, TypeDefinitionNode)}
