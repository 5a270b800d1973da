"""Tests the garbage collector of a process that serves: it does not look through everything for a few large
requests."""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.prepared_request import GraphQLRequest
from tests.support.gateway_in_process import gateway_over, source_over
from tests.support.generated_upstreams import generated_upstream
from web.serving.interpreter_tuning import tune


@pytest.fixture
def tuned() -> Iterator[None]:
    thresholds, interval = gc.get_threshold(), sys.getswitchinterval()
    tune()
    yield
    # What is frozen stays so, as it has been since the tests were collected.
    gc.set_threshold(*thresholds)
    sys.setswitchinterval(interval)


async def test_forty_large_requests_are_answered_without_a_look_through_all_objects(tuned: None) -> None:
    collections = Counter[int]()

    def count(phase: str, info: dict[str, Any]) -> None:
        if phase == "stop":
            collections[info["generation"]] += 1

    async with source_over(generated_upstream(20)) as source:
        await source.crawl()
        gateway = gateway_over(source)
        gc.callbacks.append(count)
        try:
            for number in range(40):
                fields = (f'a{each}: package(slug: "{number}-{each}") {{ title }}' for each in range(50))
                answer = await gateway.execute(GraphQLRequest(f"{{ {' '.join(fields)} }}"))
                assert answer.ran
        finally:
            gc.callbacks.remove(count)
    assert collections[2] == 0
    assert collections[0] > 0
