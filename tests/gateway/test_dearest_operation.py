"""No operation within the limits costs much: random ones that aim at what is dear, and the dearest that was found.

The whole search, of 5,000, is ``python -m tests.support.dearest_operations 5000``; it keeps the dearest in
``dearest_operation.json``.
"""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator

import msgspec
import pytest

from catalog.catalog_source import CatalogSource
from catalog.indexed_catalog import Catalog
from tests.support.dearest_operations import (
    CASE,
    MAX_SECONDS,
    Cost,
    cost,
    costs,
    dear_operations,
    source_alone,
)
from tests.support.gateway_in_process import gateway_over
from tests.support.settings_for_tests import DOCUMENT_LIMITS, RUN_LIMITS

OPERATIONS = int(os.environ.get("DEAREST_OPERATIONS", "60"))
BUSY = 8
"""How many times as long as on an idle machine an operation may take."""


@pytest.fixture
async def source(whole_catalog: Catalog) -> AsyncIterator[CatalogSource]:
    async with source_alone(whole_catalog) as source:
        yield source


def hold(found: Cost) -> None:
    """Check that an operation is answered within the bounds of work and bytes, or refused by one of the limits."""
    assert found.steps <= DOCUMENT_LIMITS.work, found
    assert found.bytes <= RUN_LIMITS.answer_bytes, found
    assert found.seconds < BUSY * MAX_SECONDS, found


async def test_random_dear_operations_are_answered_within_the_bounds_or_refused(
    source: CatalogSource, whole_catalog: Catalog
) -> None:
    generator = dear_operations(whole_catalog)
    await costs(gateway_over(source), generator, iter(range(-5, 0)))
    gc.freeze()  # what there is already, so that no operation pays for it
    found = await costs(gateway_over(source), generator, iter(range(OPERATIONS)))
    for each in found:
        hold(each)
    answered = [each for each in found if not each.refused]
    assert len(found) > 0.9 * OPERATIONS
    assert len(answered) > 0.5 * len(found)
    assert max(each.steps for each in found) > 10_000  # they are dear indeed


async def test_the_dearest_operation_that_was_found_counts_what_it_counted(source: CatalogSource) -> None:
    dearest = msgspec.json.decode(CASE.read_bytes(), type=Cost)
    for _ in range(2):  # kept from the last time or not
        found = await cost(gateway_over(source), dearest.seed, dearest.query, dearest.variables)
        hold(found)
        assert (found.steps, found.bytes, found.refused) == (dearest.steps, dearest.bytes, dearest.refused)
