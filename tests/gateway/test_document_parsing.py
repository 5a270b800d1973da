"""Documents are parsed as graphql-core parses them."""

from __future__ import annotations

import pytest
from graphql import GraphQLSyntaxError, parse, print_ast

from gateway.document_parsing import parse_document

NESTED = "{ a " * 2000 + "}" * 2000


def test_a_document_is_parsed_alike() -> None:
    text = 'query Q($id: ID = "x") @a { b: c(id: $id) { ...F ... on D { e } } } fragment F on C { g }'
    assert print_ast(parse_document(text)) == print_ast(parse(text))


@pytest.mark.parametrize("text", ["{ a", NESTED], ids=["unfinished", "nested"])
def test_a_document_that_cannot_be_parsed_is_refused_alike(text: str) -> None:
    with pytest.raises(GraphQLSyntaxError) as expected:
        parse(text)
    with pytest.raises(GraphQLSyntaxError) as error:
        parse_document(text)
    assert error.value.message == expected.value.message
    assert error.value.__context__ is None
