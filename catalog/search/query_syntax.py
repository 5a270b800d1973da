"""Translates what a user types into a search to a query for SQLite's FTS5.

The syntax is that of upstream's own search (contract section 4):

- words must all be there, ``celery email``;
- ``OR``, in any case, begins another alternative, ``celery OR rq``; it binds weaker than words side by side;
- ``"a phrase"`` is words one after the other;
- ``-word`` and ``-"a phrase"`` must not be there, within their alternative;
- the last word may be the beginning of a longer one.

Everything else separates words, so no operator of FTS5 is ever in what it is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple
from unicodedata import normalize

MAX_WORDS = 100
"""The most words of a query that are read. Callers allow fewer."""

_SHORTEST_BEGINNING = 2
"""The fewest letters of a word that may be the beginning of a longer one: one letter begins something in nearly every
record."""

_CHUNK = re.compile(r'(?P<minus>(?<!\S)-)?(?:"(?P<phrase>[^"]*)"?|(?P<text>[^\s"]+))')
_WORD = re.compile(r"[^\W_]+")


class Term(NamedTuple):
    """Holds words that follow one another."""

    words: tuple[str, ...]
    is_phrase: bool = False
    """Whether it was quoted."""
    is_beginning: bool = False
    """Whether its word may be the beginning of a longer one."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """Holds what a record must have and what it must not have."""

    wanted: tuple[Term, ...]
    unwanted: tuple[Term, ...]


def words_of(text: str) -> list[str]:
    """Return the words in a text: its runs of letters and digits."""
    return _WORD.findall(normalize("NFC", text))


def parse(query: str) -> tuple[Alternative, ...]:
    """Return the alternatives of a query. An alternative that only says what is unwanted finds nothing and is left
    out."""
    alternatives: list[Alternative] = []
    wanted: list[Term] = []
    unwanted: list[Term] = []
    left = MAX_WORDS
    ends_in_word = False

    def end_alternative() -> None:
        if wanted:
            alternatives.append(Alternative(tuple(wanted), tuple(unwanted)))
        wanted.clear()
        unwanted.clear()

    for chunk in _CHUNK.finditer(query):
        minus, phrase, text = chunk["minus"], chunk["phrase"], chunk["text"]
        ends_in_word = False
        if text is not None and not minus and text.lower() == "or":
            end_alternative()
            continue
        words = words_of(phrase if text is None else text)[:left]
        left -= len(words)
        if not words:
            continue
        if minus:
            unwanted.append(Term(tuple(words), is_phrase=True))
        elif text is None:
            wanted.append(Term(tuple(words), is_phrase=True))
        else:
            wanted += (Term((word,)) for word in words)
            ends_in_word = True
    if ends_in_word and len(wanted[-1].words[0]) >= _SHORTEST_BEGINNING:
        wanted[-1] = wanted[-1]._replace(is_beginning=True)
    end_alternative()
    return tuple(alternatives)


def expression(
    alternatives: Iterable[Alternative], spellings: Callable[[Term], Iterable[str]] = lambda term: ()
) -> str:
    """Return the query for FTS5, which may be empty.

    ``spellings`` gives the words to look for in place of one that occurs nowhere, or none to keep that word.
    """
    return " OR ".join(f"({_of(each, spellings)})" for each in alternatives)


def term_expression(term: Term) -> str:
    """Return the query for FTS5 for one term."""
    quoted = _quoted(term.words)
    # The whole word beside its beginning counts twice, so it stands ahead of longer ones.
    return f"({quoted} OR {quoted}*)" if term.is_beginning else quoted


def _of(alternative: Alternative, spellings: Callable[[Term], Iterable[str]]) -> str:
    wanted = " AND ".join(_wanted(term, spellings) for term in alternative.wanted)
    if not alternative.unwanted:
        return wanted
    return f"({wanted}) NOT ({' OR '.join(map(term_expression, alternative.unwanted))})"


def _wanted(term: Term, spellings: Callable[[Term], Iterable[str]]) -> str:
    others = () if term.is_phrase else tuple(spellings(term))
    return f"({' OR '.join(_quoted((word,)) for word in others)})" if others else term_expression(term)


def _quoted(words: Iterable[str]) -> str:
    return f'"{" ".join(words)}"'
