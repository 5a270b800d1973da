"""Tests automatic persisted queries, by the object that finds documents: Apollo's protocol, and what the store
holds."""

from __future__ import annotations

import sys
from hashlib import sha256

import pytest

from gateway.document_cache import DocumentCache
from gateway.persisted.automatic_persisted_queries import (
    NEW_BYTES,
    NEW_DOCUMENTS,
    USED_BYTES,
    USED_DOCUMENTS,
    RegisteredDocuments,
)
from tests.support.persisted_documents import NOT_FOUND, TEXT, apollo, hash_of, refusal
from tests.support.settings_for_tests import DOCUMENT_LIMITS
from tests.support.trusted_documents import documents_of

UNKNOWN = "0" * 64


NOT_SUPPORTED = ("PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported", 422, 422)


def test_a_text_without_an_id_is_itself() -> None:
    documents = documents_of(DocumentCache(DOCUMENT_LIMITS))
    assert documents.resolve(TEXT, None, None) == TEXT
    assert documents.resolve(TEXT, "", {"other": 1}) == TEXT
    assert documents.resolve(TEXT, None, {"persistedQuery": None}) == TEXT
    assert not documents.outcomes


@pytest.mark.parametrize("query", [None, "", " \n"])
def test_neither_a_text_nor_an_id_is_refused(query: str | None) -> None:
    sentence = "The request has no document: send its text as query, or its id as documentId."
    assert refusal(documents_of(DocumentCache(DOCUMENT_LIMITS)), query) == (
        "BAD_REQUEST",
        sentence,
        422,
        422,
    )


def test_a_document_is_asked_for_registered_and_found() -> None:
    documents = documents_of(DocumentCache(DOCUMENT_LIMITS))
    assert refusal(documents, None, None, apollo(TEXT)) == NOT_FOUND
    assert documents.resolve(TEXT, None, apollo(TEXT)) == TEXT
    assert documents.resolve(None, None, apollo(TEXT)) == TEXT
    assert documents.resolve("", None, apollo(TEXT)) == TEXT
    assert documents.outcomes == {"missing": 1, "registered": 1, "automatic": 2}


def test_it_is_found_and_registered_by_document_id_too() -> None:
    documents = documents_of(DocumentCache(DOCUMENT_LIMITS))
    id = f"sha256:{hash_of(TEXT)}"
    assert refusal(documents, None, id) == NOT_FOUND
    assert documents.resolve(TEXT, id) == TEXT
    assert documents.resolve(None, id) == TEXT
    assert documents.resolve(None, None, apollo(TEXT)) == TEXT


def test_the_document_id_counts_before_apollos() -> None:
    documents = documents_of(DocumentCache(DOCUMENT_LIMITS))
    documents.resolve(TEXT, None, apollo(TEXT))
    assert documents.resolve(None, hash_of(TEXT), apollo(UNKNOWN)) == TEXT


def test_what_is_sent_again_is_registered_once() -> None:
    documents = documents_of(DocumentCache(DOCUMENT_LIMITS))
    for _ in range(3):
        assert documents.resolve(TEXT, None, apollo(TEXT)) == TEXT
    assert documents.outcomes == {"registered": 1}
    assert len(documents.registered) == 1


@pytest.mark.parametrize("hash", [UNKNOWN, hash_of(TEXT).upper(), "x"], ids=["other", "upper case", "short"])
def test_a_text_with_another_hash_is_refused_and_not_kept(hash: str) -> None:
    documents = documents_of(DocumentCache(DOCUMENT_LIMITS))
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": hash}}
    sentence = "The id is not the SHA-256 of the query that came with it, in lower-case digits."
    assert refusal(documents, TEXT, None, extensions) == ("BAD_REQUEST", sentence, 422, 422)
    assert refusal(documents, TEXT, hash) == ("BAD_REQUEST", sentence, 422, 422)
    assert len(documents.registered) == 0


def test_another_text_cannot_take_the_place_of_a_registered_one() -> None:
    documents = documents_of(DocumentCache(DOCUMENT_LIMITS))
    documents.resolve(TEXT, None, apollo(TEXT))
    assert refusal(documents, "{ __typename }", None, apollo(TEXT))[0] == "BAD_REQUEST"
    assert documents.resolve(None, None, apollo(TEXT)) == TEXT


@pytest.mark.parametrize("version", [2, "1", None, 0])
def test_another_version_is_refused(version: object) -> None:
    sentence = "The version of extensions.persistedQuery must be 1."
    expected = ("BAD_REQUEST", sentence, 422, 422)
    assert (
        refusal(documents_of(DocumentCache(DOCUMENT_LIMITS)), TEXT, None, apollo(TEXT, version)) == expected
    )
    assert (
        refusal(documents_of(DocumentCache(DOCUMENT_LIMITS)), None, None, apollo(TEXT, version)) == expected
    )


@pytest.mark.parametrize("value", [7, "x", [], {}, {"version": 1}, {"version": 1, "sha256Hash": 7}, False])
def test_an_extension_of_another_shape_is_refused(value: object) -> None:
    code, sentence, status, json_status = refusal(
        documents_of(DocumentCache(DOCUMENT_LIMITS)), TEXT, None, {"persistedQuery": value}
    )
    assert (code, status, json_status) == ("BAD_REQUEST", 422, 422)
    assert sentence.startswith('extensions.persistedQuery must be an object such as {"version": 1, ')


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{ nothing }",
        "fragment F on Package { title }",
        "{ __typename } # \ud800",
        "{ __typename" + " __typename" * DOCUMENT_LIMITS.tokens + " }",
        "{ " + "".join(f"a{n}: __typename " for n in range(DOCUMENT_LIMITS.aliases + 1)) + "}",
    ],
    ids=["syntax", "validation", "no operation", "surrogate", "too many tokens", "too many aliases"],
)
def test_a_document_that_cannot_run_is_passed_on_but_not_kept(text: str) -> None:
    documents = documents_of(DocumentCache(DOCUMENT_LIMITS))
    hash = sha256(text.encode(errors="surrogatepass")).hexdigest()
    assert documents.resolve(text, hash) == text
    assert len(documents.registered) == 0
    assert refusal(documents, None, hash) == NOT_FOUND


def test_what_is_switched_off_is_not_supported() -> None:
    documents = documents_of(DocumentCache(DOCUMENT_LIMITS), automatic=False)
    for request in [
        (None, None, apollo(TEXT)),
        (TEXT, None, apollo(TEXT)),
        (None, hash_of(TEXT)),
        (TEXT, "an-id"),
    ]:
        assert refusal(documents, *request) == NOT_SUPPORTED
    assert documents.resolve(TEXT) == TEXT
    assert documents.outcomes == {"refused": 4}


def texts(count: int, like: str = "new") -> dict[str, str]:
    made = [f"{{ {like}{n}: __typename }}" for n in range(count)]
    return {hash_of(text): text for text in made}


def test_a_flood_of_new_documents_leaves_those_in_use() -> None:
    store = RegisteredDocuments()
    store.add(hash_of(TEXT), TEXT)
    assert store.find(hash_of(TEXT)) == TEXT
    flood = texts(NEW_DOCUMENTS + 10)
    for hash, text in flood.items():
        store.add(hash, text)
    assert store.find(hash_of(TEXT)) == TEXT
    assert len(store) == NEW_DOCUMENTS + 1
    assert [hash for hash in flood if not store.has(hash)] == list(flood)[:10]


def test_of_those_in_use_the_one_used_longest_ago_goes() -> None:
    store = RegisteredDocuments()
    used = texts(USED_DOCUMENTS)
    for hash, text in used.items():
        store.add(hash, text)
        assert store.find(hash) == text
    first, second, *_ = used
    assert store.find(first)
    store.add(hash_of(TEXT), TEXT)
    assert store.find(hash_of(TEXT))
    assert store.has(first)
    assert not store.has(second)
    assert len(store) == USED_DOCUMENTS


def test_memory_is_bounded_by_bytes_as_python_stores_them() -> None:
    store = RegisteredDocuments()
    # 50,000 characters of 4 bytes.
    for n in range(60):
        text = f"{{ __typename }} # {n:03} 🙂".ljust(50_000)
        store.add(hash_of(text), text)
        assert store.find(hash_of(text)) == text
        store.add(hash_of(text[1:]), text[1:])
        assert store.bytes <= USED_BYTES + NEW_BYTES
    size = sys.getsizeof("🙂".ljust(50_000))
    assert len(store) == USED_BYTES // size + NEW_BYTES // size


def test_bytes_go_back_to_none_with_the_last_document() -> None:
    store = RegisteredDocuments()
    store.add("a", "x" * (NEW_BYTES - 1000))
    store.add("b", "y" * (NEW_BYTES - 1000))
    assert not store.has("a")
    assert store.bytes == sys.getsizeof("y" * (NEW_BYTES - 1000))


def test_a_document_that_is_larger_than_the_room_pushes_nothing_out() -> None:
    store = RegisteredDocuments()
    store.add(hash_of(TEXT), TEXT)
    store.add("large", "x" * NEW_BYTES)
    assert store.has(hash_of(TEXT))
    assert not store.has("large")
