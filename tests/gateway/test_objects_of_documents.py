"""Tests what the garbage collector has to look at: few objects for each cached document, and none that a request
leaves."""

from __future__ import annotations

import gc
from weakref import ref

import pytest

from engine import Engine
from gateway.document_cache import DocumentCache
from gateway.gateway import Gateway
from gateway.prepared_request import GraphQLRequest
from schema import schema
from tests.support.garbage_collection import only_new_objects_collected
from tests.support.gateway_in_process import gateway_over, source_over
from tests.support.numbers_of_examples import examples
from tests.support.settings_for_tests import DOCUMENT_LIMITS
from upstream.embedded import EmbeddedUpstream

DOCUMENTS = examples(100)
SMALL = '{ package(slug: "django-celery-email") { title repoWatchers category { title } } }'
MIDDLING = "{ packages(first: 20) { nodes { title slug grids { title } } } }"
LARGE = "{ packages(first: 100) { nodes { title grids { title packages { title slug } } } } }"
WITH_MORE = """query ($n: Int = 5) { packages(first: $n, filter: { stars: { min: 1 } }) { ...Fields } }
fragment Fields on PackageConnection { nodes { title @skip(if: false) grids { ... on Grid { title } } } }"""


async def answer_all(gateway: Gateway, text: str, which: range) -> None:
    for number in which:
        answer = await gateway.execute(GraphQLRequest(f"{text} # {number}"))
        assert answer.ran


@pytest.mark.parametrize(
    ("text", "most"), [(SMALL, 70), (MIDDLING, 80), (LARGE, 95)], ids=["small", "middling", "large"]
)
async def test_a_document_that_was_answered_leaves_few_objects_and_no_garbage(text: str, most: int) -> None:
    """A look through all objects holds up every client, and takes a microsecond for each."""
    async with source_over(EmbeddedUpstream(packages=20)) as source:
        await source.crawl()
        gateway = gateway_over(source)
        await answer_all(gateway, text, range(5))
        with only_new_objects_collected():
            before = len(gc.get_objects())
            await answer_all(gateway, text, range(5, 5 + DOCUMENTS))
            garbage = gc.collect()
            kept = len(gc.get_objects()) - before
    assert garbage < 10 * DOCUMENTS  # Other tests may have left something that is garbage only now.
    assert kept / DOCUMENTS <= most


@pytest.mark.parametrize(
    "text", [SMALL, MIDDLING, LARGE, WITH_MORE], ids=["small", "middling", "large", "more"]
)
def test_a_cached_document_with_its_plan_is_freed_without_the_collector(text: str) -> None:
    engine = Engine(schema, cached=1)
    documents, operation = read_and_compile(engine, text)
    assert operation() is not None
    with only_new_objects_collected():
        del documents
        read_and_compile(engine, "{ __typename }")  # in its place
        # All of its plan leads to the operation, also what the collector does not look at.
        assert operation() is None
        assert gc.collect() == 0


def read_and_compile(engine: Engine, text: str) -> tuple[DocumentCache, ref[object]]:
    documents = DocumentCache(DOCUMENT_LIMITS)
    document = documents.read(text)
    assert not document.errors
    assert document.node is not None
    assert engine.explain(text, document.node, None, {})
    return documents, ref(document.node.definitions[0])


def test_a_document_with_errors_is_freed_without_the_collector() -> None:
    with only_new_objects_collected():
        document = DocumentCache(DOCUMENT_LIMITS).read("{ packages { nodes { titel } } nothing }")
        assert len(document.errors) == 2
        del document
        assert gc.collect() == 0
