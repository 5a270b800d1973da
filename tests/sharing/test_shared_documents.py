"""Tests that all gateways that share a Valkey server run by its hash what a client has registered with one of them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from catalog.catalog_source import CatalogSource
from gateway.persisted.document_lookup import Refused
from sharing.shared_documents import LONGEST, MAX_DOCUMENTS
from tests.support.gateway_in_process import app_over, client_of, gateway_over
from tests.support.gateway_processes import eventually
from tests.support.persisted_documents import hash_of
from tests.support.trusted_documents import OTHER, apollo_manifest, documents_of, write
from tests.support.valkey_servers import ValkeyServer, valkey_server
from upstream.embedded import EmbeddedUpstream


async def ask(http: httpx.AsyncClient, id: str, query: str | None = None) -> str | None:
    """Return the code of the error of a request with an id; ``None`` if it was answered."""
    body = {"documentId": id} | ({} if query is None else {"query": query})
    answer = (await http.post("/graphql", json=body)).json()
    errors = answer.get("errors")
    return str(errors[0]["extensions"]["code"]) if errors else None


async def is_known(http: httpx.AsyncClient, id: str) -> bool:
    return await ask(http, id) is None


async def until_known(http: httpx.AsyncClient, id: str) -> None:
    async with asyncio.timeout(30):
        while not await is_known(http, id):  # noqa: ASYNC110 - only a request tells
            await asyncio.sleep(0.02)


async def test_a_document_is_known_to_all_whenever_they_began(
    embedded: EmbeddedUpstream, valkey: ValkeyServer
) -> None:
    query = "{ __typename tea: __typename } # 🫖"
    settings = {"storage": valkey.url}
    async with (
        client_of(app_over(embedded, **settings)) as one,
        client_of(app_over(embedded, **settings)) as two,
    ):
        assert await ask(one, hash_of(query)) == "PERSISTED_QUERY_NOT_FOUND"
        assert await ask(one, hash_of(query), query) is None
        await until_known(two, hash_of(query))
        await eventually(lambda: valkey.client.hlen("{djangopackages}:documents") == 1)
        async with client_of(app_over(embedded, **settings)) as three:
            await until_known(three, hash_of(query))


async def test_the_server_keeps_the_newest_alone_and_none_that_is_long(
    embedded: EmbeddedUpstream, valkey: ValkeyServer
) -> None:
    for number in range(MAX_DOCUMENTS):
        valkey.client.hset("{djangopackages}:documents", f"old {number}", "{ __typename }")
        valkey.client.rpush("{djangopackages}:document-order", f"old {number}")
    long, short = "{ __typename }" + " " * LONGEST, "{ __typename }"
    async with client_of(app_over(embedded, storage=valkey.url)) as one:
        for query in (long, short):
            assert await ask(one, hash_of(query), query) is None
        await eventually(lambda: valkey.client.hexists("{djangopackages}:documents", hash_of(short)))
    assert valkey.client.hlen("{djangopackages}:documents") == MAX_DOCUMENTS
    assert not valkey.client.hexists("{djangopackages}:documents", hash_of(long))
    assert not valkey.client.hexists("{djangopackages}:documents", "old 0")


async def test_without_the_server_a_gateway_knows_what_was_registered_with_it(
    embedded: EmbeddedUpstream,
) -> None:
    query = "{ __typename }"
    with valkey_server() as server:
        async with client_of(app_over(embedded, storage=server.url)) as one:
            server.kill()
            assert await ask(one, hash_of(query), query) is None
            assert await is_known(one, hash_of(query))


async def test_a_gateway_that_runs_trusted_documents_alone_takes_none_of_others(
    source: CatalogSource, tmp_path: Path
) -> None:
    query = "{ __typename }"
    write(tmp_path / "manifest.json", apollo_manifest(Other=OTHER))
    documents = documents_of(gateway_over(source).documents, tmp_path / "manifest.json", only_trusted=True)
    documents.take(hash_of(query), query)
    with pytest.raises(Refused, match="The manifest of this gateway has no document with this id"):
        documents.resolve(None, hash_of(query))
