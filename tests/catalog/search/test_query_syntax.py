"""Tests what a user types, and what FTS5 is asked for it."""

from __future__ import annotations

import pytest

from catalog.search.query_syntax import MAX_WORDS, expression, parse


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("celery email ", '("celery" AND ("email" OR "email"*))'),
        ("django-celery-email", '("django" AND "celery" AND ("email" OR "email"*))'),
        ('"celery email"', '("celery email")'),
        ('"celery email', '("celery email")'),
        ('rest"two words"a', '("rest" AND "two words" AND "a")'),
        ("celery OR rq", '("celery") OR (("rq" OR "rq"*))'),
        ("celery or email rq", '("celery") OR ("email" AND ("rq" OR "rq"*))'),
        ("OR celery OR OR", '("celery")'),
        ("celery -email", '(("celery") NOT ("email"))'),
        ('celery -"a b" -c-d', '(("celery") NOT ("a b" OR "c d"))'),
        ("a -b OR c -d", '(("a") NOT ("b")) OR (("c") NOT ("d"))'),
        ("--email celery -", '(("celery") NOT ("email"))'),
        ("d", '("d")'),
        ("x_y", '("x" AND "y")'),
        ("e\N{COMBINING ACUTE ACCENT}", '("\N{LATIN SMALL LETTER E WITH ACUTE}")'),
        ("title:a^2 {b} : +", '("title" AND "a" AND "2" AND "b")'),
        ("NEAR(a b, 3) * ", '("NEAR" AND "a" AND "b" AND "3")'),
        ("a AND b NOT c", '("a" AND "AND" AND "b" AND "NOT" AND "c")'),
    ],
)  # fmt: skip
def test_a_query_is_translated(query: str, asked: str) -> None:
    assert expression(parse(query)) == asked


@pytest.mark.parametrize(
    "query", ["", " ", "OR", "-", '"', '""', "-email", '-"a b" or -c', "🦄", "\0", "\ud800", "((*"]
)
def test_what_wants_no_word_is_nothing(query: str) -> None:
    assert parse(query) == ()


def test_words_beyond_the_hundredth_are_not_read() -> None:
    (alternative,) = parse("word " * 10_000)
    assert len(alternative.wanted) == MAX_WORDS


def test_other_spellings_stand_for_a_word_but_not_in_a_phrase() -> None:
    spelt = expression(parse('celry "celry" celry'), lambda term: ["celery", "celeriac"])
    assert spelt == '(("celery" OR "celeriac") AND "celry" AND ("celery" OR "celeriac"))'
