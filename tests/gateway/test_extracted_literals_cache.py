"""A text that comes again is not taken apart again, and has the same document and the same literals."""

from __future__ import annotations

import pytest

from gateway.document_cache import CACHED_DOCUMENTS, DocumentCache
from gateway.extracted_literals_cache import MAX_BYTES, MAX_MET, MAX_TEXTS, ExtractedLiterals
from gateway.request_document import LiteralsOfText, RequestDocument
from tests.support.settings_for_tests import DOCUMENT_LIMITS

TEXT = '{ package(slug: "%s") { title } }'


async def found(store: DocumentCache, text: str) -> RequestDocument:
    document = await store.find_aside(text)
    assert not document.document.errors
    return document


def values(document: RequestDocument) -> dict[str, object]:
    assert document.literals is not None
    return dict(document.literals.values)


async def test_a_text_is_remembered_when_it_comes_for_the_second_time_after_it_was_read() -> None:
    store = DocumentCache(DOCUMENT_LIMITS)
    first = await found(store, TEXT % "a")
    counts = []
    for _ in range(4):
        again = await found(store, TEXT % "a")
        assert (again.document, again.text, values(again)) == (first.document, first.text, {"0": "a"})
        counts.append((len(store.repeated), store.repeated.found))
    assert counts == [(0, 0), (1, 0), (1, 1), (1, 2)]


async def test_texts_that_are_new_each_time_are_not_remembered() -> None:
    store = DocumentCache(DOCUMENT_LIMITS)
    for number in range(2 * MAX_MET):
        assert values(await found(store, TEXT % number)) == {"0": f"{number}"}
    assert len(store.repeated) == 0


async def test_texts_of_one_shape_keep_their_own_literals() -> None:
    store = DocumentCache(DOCUMENT_LIMITS)
    for _ in range(4):
        for slug in ("a", "b", "1"):
            assert values(await found(store, TEXT % slug)) == {"0": slug}
        assert values(await found(store, "{ package(databaseId: 1) { title } }")) == {"0": 1}
    assert len(store.repeated) == 4


@pytest.mark.parametrize("text", ["{ categories { slug } }", '{ __type(name: "Package") { name } }'])
async def test_a_text_without_a_shape_is_known_by_itself(text: str) -> None:
    store = DocumentCache(DOCUMENT_LIMITS)
    documents = {id((await found(store, text)).document) for _ in range(4)}
    assert (len(documents), len(store.repeated)) == (1, 0)


async def test_a_text_of_a_forgotten_document_is_read_anew() -> None:
    store = DocumentCache(DOCUMENT_LIMITS)
    for _ in range(4):
        first = await found(store, TEXT % "a")
    for number in range(CACHED_DOCUMENTS):
        store.read("{ #" + str(number))
    again = await found(store, TEXT % "a")
    assert again.document is not first.document
    assert values(again) == values(first)


def test_so_many_texts_of_so_many_bytes_are_remembered() -> None:
    texts, literals = ExtractedLiterals(), LiteralsOfText({"0": "a"}, [1])
    for number in range(MAX_TEXTS + 10):
        for _ in range(2):
            texts.came(f"{number}", "shape", literals)
    assert len(texts) == MAX_TEXTS
    for number in range(300):
        for _ in range(2):
            texts.came(f"{number}" + "x" * 20_000, "shape", literals)
        assert texts.size <= MAX_BYTES
    assert 20 < len(texts) < 100
