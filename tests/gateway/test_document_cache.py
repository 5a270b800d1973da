"""Tests the kept documents: each read once, and bounded in number and memory."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from dataclasses import replace

from gateway.document_cache import BYTES_OF_A_TOKEN, CACHED_BYTES, CACHED_DOCUMENTS, DocumentCache
from gateway.document_parsing import parse_document
from schema import Document
from tests.support.garbage_collection import only_new_objects_collected
from tests.support.settings_for_tests import DOCUMENT_LIMITS


def kept(store: DocumentCache, text: str, read: Document) -> bool:
    return store.read(text) is read


def test_a_document_is_read_once() -> None:
    store = DocumentCache(DOCUMENT_LIMITS)
    read = store.read("{ categories { slug } }")
    assert not read.errors
    assert kept(store, "{ categories { slug } }", read)
    assert not kept(DocumentCache(DOCUMENT_LIMITS), "{ categories { slug } }", read)


def test_as_many_documents_are_kept_as_are_allowed_and_those_used_last() -> None:
    store = DocumentCache(DOCUMENT_LIMITS)
    first, second = store.read("{"), store.read("{ ")
    for number in range(CACHED_DOCUMENTS - 2):
        store.read("{ #" + str(number))
    assert kept(store, "{", first)
    store.read("{ one more")
    assert kept(store, "{", first)
    assert not kept(store, "{ ", second)


def test_large_documents_push_others_out_by_their_memory() -> None:
    store = DocumentCache(DOCUMENT_LIMITS)
    first = store.read("{ categories { slug } }")
    comments = "#\n" * 1_990
    large = CACHED_BYTES // (BYTES_OF_A_TOKEN * 1_994) - 1
    for number in range(large):
        store.read(f"{{ __typename #{number}\n{comments}}}")
    assert kept(store, "{ categories { slug } }", first)
    for number in range(large + 2):
        store.read(f"{{ __typename #{number} again\n{comments}}}")
    assert not kept(store, "{ categories { slug } }", first)


def test_a_refused_document_is_kept_without_what_was_parsed_or_not_at_all() -> None:
    store = DocumentCache(replace(DOCUMENT_LIMITS, aliases=0, tokens=8))
    refused = store.read("{ a: categories { slug } }")
    assert refused.node is None
    (error,) = refused.errors
    assert error.__traceback__ is None
    assert error.original_error is not None
    assert error.original_error.__traceback__ is None
    assert kept(store, "{ a: categories { slug } }", refused)
    too_long = store.read("{ categories { slug title id } packages }")
    assert not kept(store, "{ categories { slug title id } packages }", too_long)


def test_a_document_that_is_not_kept_is_freed_without_the_garbage_collector() -> None:
    text = "{ " + " ".join(f'a{n}: search(query: "{n}", first: 2) {{ totalCount }}' for n in range(50)) + " }"
    with only_new_objects_collected():
        read = parse_document(text)
        del read
        assert gc.collect() == 0


async def test_short_documents_of_many_requests_are_read_in_several_turns_of_the_loop() -> None:
    """Each takes one to ten milliseconds, and a turn has eight."""
    store = DocumentCache(DOCUMENT_LIMITS)
    turn, read_in = 0, Counter[int]()

    async def count_turns() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    async def read(number: int) -> None:
        fields = " ".join(f"a{each}: __typename" for each in range(20))
        assert not (await store.read_aside(f"{{ b{number}: __typename {fields} }}")).errors
        read_in[turn] += 1

    counting = asyncio.create_task(count_turns())
    await asyncio.gather(*map(read, range(60)))
    counting.cancel()
    assert read_in.total() == 60
    assert len(read_in) >= 3
