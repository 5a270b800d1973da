"""Tests a publish that is told to very many subscriptions: others are answered meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter

from strawberry.types.execution import ExecutionResult

from gateway.document_cache import DocumentCache
from resolvers.loading.request_loaders import Loaders
from schema import given, schema
from tests.support.gateway_in_process import context_over, source_over
from tests.support.numbers_of_examples import share_of
from tests.support.settings_for_tests import DOCUMENT_LIMITS, RUN_LIMITS
from upstream.embedded import EmbeddedUpstream

SUBSCRIPTION = "subscription { catalogChanged { slug node { id } } }"


async def test_a_turn_of_the_loop_makes_one_event_however_many_are_to_be_told() -> None:
    upstream = EmbeddedUpstream(packages=20)
    async with source_over(upstream) as source:
        await source.crawl()
        turn, by_turn, subscribed = 0, Counter[int](), 0
        document = DocumentCache(DOCUMENT_LIMITS).read(SUBSCRIPTION)

        async def count_turns() -> None:
            nonlocal turn
            while True:
                turn += 1
                await asyncio.sleep(0)

        async def follow() -> None:
            nonlocal subscribed
            snapshot = source.latest
            context = context_over(Loaders(source.batcher, snapshot), snapshot, source)
            with given(document, RUN_LIMITS) as extensions:
                results = await schema.stream(
                    SUBSCRIPTION, context_value=context, operation_extensions=extensions
                )
                subscribed += 1
                result = await anext(results)
                assert isinstance(result, ExecutionResult)
                assert not result.errors
                by_turn[turn] += 1
                await results.aclose()

        following = [asyncio.create_task(follow()) for _ in share_of(range(200))]
        while subscribed < len(following):  # noqa: ASYNC110 - the number has no event
            await asyncio.sleep(0.01)
        upstream.catalog.update_package(1599, title="renamed")
        counting = asyncio.create_task(count_turns())
        await source.crawl()
        await asyncio.gather(*following)
        counting.cancel()
        assert by_turn.total() == len(following)
        assert max(by_turn.values()) <= 2
