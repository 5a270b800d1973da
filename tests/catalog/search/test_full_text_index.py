"""Tests the full-text index over a catalog: what is found, in which order, and that nothing typed is an error."""

from __future__ import annotations

import asyncio
import weakref
from dataclasses import replace
from math import log10

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.catalog_difference import RecordKey
from catalog.search.full_text_index import MAX_RANKINGS, FullTextIndex, LazyFullTextIndex
from catalog.search.similar_words import SimilarWords
from tests.support.garbage_collection import collector_off
from tests.support.impatient_clients import until
from tests.support.made_records import catalog_of, grid, package
from tests.support.numbers_of_examples import examples


def found(query: str, index: FullTextIndex) -> list[tuple[str, int]]:
    return [(key.kind, key.id) for key in map(index.keys.__getitem__, index.search(query).rows)]


def packages(query: str, index: FullTextIndex) -> set[int]:
    return {id for kind, id in found(query, index) if kind == "package"}


@pytest.fixture(scope="module")
def index() -> FullTextIndex:
    return FullTextIndex(
        catalog_of(
            package(1, title="Celery tasks", slug="celery-tasks", repo_description="Runs jobs by email"),
            package(2, title="Email backend", slug="email-backend", repo_description="Sends with Celery"),
            package(3, title="Café Größe", slug="cafe", pypi_url="https://pypi.org/project/coffee-shop/"),
            package(4, title="Django REST framework", slug="django-rest-framework"),
            package(5, title="日本語タイトル", slug="nihongo"),
            package(6, title="🦄 unicorn\0forms", slug="Unicorn_Forms", repo_description="a\u2028b"),
            grid(1, title="Email", slug="email", description="Compares what sends mail"),
        )
    )


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("celery", {1, 2}),
        ("CELERY email", {1, 2}),
        ('"celery tasks"', {1}),
        ('"tasks celery"', set()),
        ("celery -backend", {1}),
        ('celery -"email backend"', {1}),
        ("tasks OR framework", {1, 4}),
        ("tasks or rest framework", {1, 4}),
        ("email cel", {1, 2}),
        ("ce email", set()),
        ("cafe", {3}),
        ("CAFÉ", {3}),
        ("cafe\N{COMBINING ACUTE ACCENT}", {3}),
        ("grosse", set()),
        ("coffee shop", {3}),
        ("djangorestframework", {4}),
        ("django-rest-framework", {4}),
        ("日本", {5}),
        ("unicorn forms", {6}),
        ("🦄", set()),
        ("-celery", set()),
        ("nothing like this", set()),
    ],
)
def test_a_query_finds_what_it_says(index: FullTextIndex, query: str, ids: set[int]) -> None:
    assert packages(query, index) == ids


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("celry", {1, 2}),
        ("emial", {1, 2}),
        ("framewrok django", {4}),
        ("celry -backend", {1}),
        ('"celry"', set()),
    ],
)
def test_a_misspelt_word_is_taken_for_the_most_similar(
    index: FullTextIndex, query: str, ids: set[int]
) -> None:
    assert packages(query, index) == ids


def test_a_word_that_is_somewhere_is_never_taken_for_another() -> None:
    index = FullTextIndex(catalog_of(package(1, title="celery"), package(2, title="celry")))
    assert packages("celry", index) == {2}


def test_of_similar_words_only_the_nearest_count() -> None:
    similar_words = SimilarWords([("cacheback", 1), ("cache", 90), ("email", 7), ("x1", 1)])
    assert similar_words.similar("cachback") == ["cacheback"]
    assert (
        similar_words.similar("x") == similar_words.similar("y" * 1000) == similar_words.similar("zzzz") == []
    )


def test_the_title_counts_more_than_the_slug_and_that_more_than_the_description() -> None:
    index = FullTextIndex(
        catalog_of(
            package(1, title="one", slug="b", repo_description="word"),
            package(2, title="one", slug="word", repo_description="b"),
            package(3, title="word", slug="b", repo_description="one"),
            package(4),
            package(5),
            package(6),
            package(7),
        )
    )
    # Without the words' own title or slug being the query, which would double the score.
    assert found('"word" -nothing', index) == [("package", 3), ("package", 2), ("package", 1)]


def test_the_whole_name_doubles_the_score_and_stars_add_to_it() -> None:
    stars = 99_999
    index = FullTextIndex(
        catalog_of(
            package(1, title="red kite", slug="a"),
            package(2, title="kite red", slug="a"),
            package(3, title="kite red", slug="a", repo_watchers=stars),
            grid(4, title="kite red", slug="a", packages=tuple(range(99))),
            *(package(id) for id in range(5, 15)),
        )
    )
    ranking = index.search("Red  KITE")
    scores = dict(zip([index.keys[row] for row in ranking.rows], ranking.scores, strict=True))
    plain = scores[RecordKey("package", 2)]
    assert scores[RecordKey("package", 1)] == pytest.approx(2 * plain)
    assert scores[RecordKey("package", 3)] == pytest.approx((1 + log10(1 + stars) / 5) * plain) == 2 * plain
    # A grid's slug is indexed as it is and in one word, so its length differs from a package's by nothing here.
    assert scores[RecordKey("grid", 4)] == pytest.approx(1.4 * plain, rel=0.05)


def test_ties_are_packages_first_then_the_newest() -> None:
    index = FullTextIndex(catalog_of(*(package(id, title="same", slug="s") for id in (3, 1, 2))))
    assert found("same", index) == [("package", 3), ("package", 2), ("package", 1)]


def test_paging_goes_on_behind_a_record_wherever_it_stands_now(index: FullTextIndex) -> None:
    ranking = index.search("email")
    assert list(ranking.scores) == sorted(ranking.scores, reverse=True)
    assert len(ranking.rows) == 3
    for ahead, row in enumerate(ranking.rows):
        assert ranking.behind(row, 0.0) == ahead + 1
    assert ranking.behind(None, ranking.scores[1]) == 2
    assert ranking.behind(index.row(RecordKey("package", 5)), float("inf")) == 0
    assert ranking.behind(index.row(RecordKey("package", 999)), float("-inf")) == 3


def test_an_equal_query_is_ranked_once_and_the_oldest_are_forgotten(index: FullTextIndex) -> None:
    first = index.search("email")
    assert index.search("email") is first
    for number in range(MAX_RANKINGS):
        index.search(f"email {number}")
    assert index.search("email") is not first
    assert index.search("email") == first


HOSTILE = [
    'a"b', '"', '""', "'", "*", "a*", "^a", "title:a", "{title names}:a", "- a", "a:b:c", "NEAR(a b)", "a NEAR b",
    "(a", "a)", "a AND", "NOT a", "a + b", "a;DROP TABLE words", "\0", "a\0b", "\ud800", "a\udfff", "😀" * 50,
    "a " * 5_000, "x" * 10_000, '"' * 10_000, "-" * 10_000, "OR " * 3_000, "(" * 10_000, "%_\\", "\u202e\u2028", "ﬁ²Ⅷ",
]  # fmt: skip


@pytest.mark.parametrize("query", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_that_is_typed_is_an_error(index: FullTextIndex, query: str) -> None:
    ranking = index.search(query)
    assert len(ranking.rows) == len(ranking.scores) <= len(index.keys)


@settings(max_examples=examples(100), deadline=None)
@given(
    st.lists(st.sampled_from([*'"-*^:(){}+ ', "OR", "AND", "NOT", "NEAR", "celery", "emial", "\0"])).map(
        "".join
    )
)
def test_no_mix_of_operators_is_an_error(query: str) -> None:
    _MIXED.search(query)


def test_no_character_is_an_error() -> None:
    for character in map(chr, range(0, 0x110000, 509)):
        _MIXED.search(f"a{character} b{character}")


_MIXED = FullTextIndex(catalog_of(package(1, title="celery email near and not or"), grid(2)))


def test_an_empty_catalog_can_be_searched() -> None:
    assert found("celry", FullTextIndex(catalog_of())) == []


async def test_an_index_is_built_once_for_those_who_want_it_together() -> None:
    catalog = catalog_of(package(1))
    indexing = catalog.view(LazyFullTextIndex)
    leaving = asyncio.create_task(indexing.index(catalog))
    await asyncio.sleep(0)
    leaving.cancel()
    one, other = await asyncio.gather(indexing.index(catalog), catalog.view(LazyFullTextIndex).index(catalog))
    assert one is other is await indexing.index(catalog)


async def test_a_build_that_breaks_is_tried_again() -> None:
    catalog = catalog_of(package(1))
    broken = replace(catalog, packages={2: package(2, title="\ud800")})
    indexing = LazyFullTextIndex(catalog)
    with pytest.raises(UnicodeEncodeError):
        await indexing.index(broken)
    assert packages("title", await indexing.index(catalog)) == {1}


async def test_an_index_does_not_keep_its_catalog() -> None:
    catalog = catalog_of(package(1, title="held"))
    index = await catalog.view(LazyFullTextIndex).index(catalog)
    gone = weakref.ref(index)
    with collector_off():
        # By reference counts alone: the sync freezes what is published, and nothing collects that.
        del catalog, index
        # The thread that made the index lets go of it a moment later.
        await until(lambda: gone() is None)
