"""The limits on a document's text, before it is parsed: bytes and tokens."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from graphql import GraphQLSyntaxError
from graphql.language import Lexer, Source, TokenKind

from engine import TooComplex
from gateway.limits import check_text
from tests.support.numbers_of_examples import operations
from tests.support.settings_for_tests import DOCUMENT_LIMITS

PIECES = [
    *'{}()[]:!$&=@|,." \n\t#\\-+',
    *(
        "...",
        '"""',
        '\\"""',
        '""',
        '\\"',
        "\\\\",
        "a",
        "_b9",
        "0",
        "-1",
        "1.5",
        "1e5",
        "1.5E-7",
        "\r",
        "\r\n",
    ),
    *("\\u0041", "☃", "é", "\ufeff"),
]
"""What texts are made of in which tokens are hard to tell."""


def tokens_of(text: str) -> int:
    return check_text(text, replace(DOCUMENT_LIMITS, bytes=1_000_000, tokens=1_000_000))


def lexed(text: str) -> tuple[int, bool]:
    """Return how many tokens and comments graphql-core reads, and whether it reads to the end."""
    lexer = Lexer(Source(text))
    try:
        while lexer.advance().kind is not TokenKind.EOF:
            pass
    except GraphQLSyntaxError:
        ended = False
    else:
        ended = True
    token, count = lexer.token, 0
    while token.prev is not None:
        count += token.kind is not TokenKind.EOF
        token = token.prev
    return count, ended


def test_bytes_are_counted_in_utf_8_up_to_the_limit() -> None:
    text = '{ package(slug: "☃") { slug } }'
    size = len(text) + 2
    check_text(text, replace(DOCUMENT_LIMITS, bytes=size))
    with pytest.raises(TooComplex) as caught:
        check_text(text, replace(DOCUMENT_LIMITS, bytes=size - 1))
    assert str(caught.value) == "The document has 33 bytes; 32 are allowed."
    assert (caught.value.limit, caught.value.allowed, caught.value.value) == ("bytes", 32, 33)


def test_tokens_are_counted_up_to_the_limit() -> None:
    text = '{ categories { slug } } # a comment\n"""two\nlines"""'
    assert check_text(text, replace(DOCUMENT_LIMITS, tokens=8)) == 8
    with pytest.raises(TooComplex) as caught:
        check_text(text, replace(DOCUMENT_LIMITS, tokens=7))
    assert str(caught.value) == "The document has 8 tokens; 7 are allowed."
    assert (caught.value.limit, caught.value.allowed, caught.value.value) == ("tokens", 7, 8)


def test_characters_that_utf_8_has_not_are_left_to_the_parser() -> None:
    assert tokens_of("{ a\udcff }") == 3


@pytest.mark.parametrize(
    "text", ["[1-2-3]", "[1.5-2]", '""""""', '""" \\""" """', '"" ""', '"\\""', "#", "...a"]
)
def test_tokens_without_anything_between_them_are_told_apart(text: str) -> None:
    assert lexed(text) == (tokens_of(text), True)


def test_any_text_has_the_tokens_that_the_parser_reads() -> None:
    draws = random.Random(6)
    whole, texts = 0, operations(5_000)
    for _ in range(texts):
        text = "".join(draws.choices(PIECES, k=draws.randrange(1, 12)))
        count, ended = lexed(text)
        whole += ended
        # Where the parser stops at an error it has read no more than was counted.
        assert tokens_of(text) == count if ended else tokens_of(text) >= count, text
    assert whole > texts / 10


def test_a_text_of_strings_that_do_not_end_is_counted_once() -> None:
    # A string begun anew at each of them would be read 25,000 times: minutes.
    text = '"' + '\\"' * 24_000
    assert tokens_of(text) == 1
    assert tokens_of('"""' + '\\"""' * 12_000) == 1
    assert tokens_of('"\\\n' * 16_000) == 16_000


@pytest.mark.parametrize(
    ("text", "limit", "value"),
    [
        ("{" + "__typename " * 10_000 + "}", "bytes", 110_002),
        ("{" + "a " * 10_000 + "}", "tokens", 10_002),
        ("{a" + "@a" * 5_000 + "}", "tokens", 10_003),
        ("#\n" * 20_000 + "{a}", "tokens", 20_003),
        ('{a(b:"' + "x" * 60_000 + '")}', "bytes", 60_009),
        ('{a(b:"""' + "\n" * 60_000 + '""")}', "bytes", 60_013),
        ("{a(b:" + "[" * 5_000 + "]" * 5_000 + ")}", "tokens", 10_007),
        ("query(" + "$a:A" * 1_000 + "){a}", "tokens", 4_006),
    ],
)
def test_attacks_by_size_end_before_the_parser(text: str, limit: str, value: int) -> None:
    with pytest.raises(TooComplex) as caught:
        check_text(text, DOCUMENT_LIMITS)
    assert (caught.value.limit, caught.value.value) == (limit, value)
