"""What upstream has shown to a request is at hand for the next one: nothing is asked, and nothing waits."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from catalog import CatalogSource
from resolvers.loading import Loaders
from upstream.client import Receipt, recording
from upstream.embedded import EmbeddedUpstream, Fault, StatusFault

T = TypeVar("T")


def live(source: CatalogSource) -> Loaders:
    return Loaders(source.batcher, None)


def at_once(asked: Coroutine[Any, Any, T]) -> T:
    """Return what a coroutine returns without waiting for a turn of the event loop."""
    with pytest.raises(StopIteration) as returned:
        asked.send(None)
    value: T = returned.value.value
    return value


async def test_records_that_another_request_was_shown_are_at_hand(
    source: CatalogSource, embedded: EmbeddedUpstream
) -> None:
    shown = await live(source).packages.by_ids([1599, 683])
    loader = live(source).packages
    assert at_once(loader.by_ids([683, 1599, 683])) == [shown[1], shown[0], shown[1]]
    assert at_once(loader.by_id(1599)) is shown[0]
    assert at_once(loader.by_slug("django-celery-email")) is shown[0]
    assert embedded.requests.total == 2


async def test_categories_that_another_request_was_shown_are_at_hand(
    source: CatalogSource, embedded: EmbeddedUpstream
) -> None:
    shown = await live(source).categories.by_ids([1, 2])
    assert at_once(live(source).categories.by_ids([2, 1])) == shown[::-1]
    assert at_once(live(source).categories.by_id(1)) is shown[0]
    assert embedded.requests.total == 1


async def test_records_at_hand_are_on_the_receipt_and_their_answer_depends_on_upstream(
    source: CatalogSource,
) -> None:
    await live(source).packages.by_ids([1599, 683])
    categories = await live(source).categories.all()
    receipt, loaders = Receipt(), live(source)
    depended = [loaders.asked_upstream]
    with recording(receipt):
        at_once(loaders.packages.by_ids([1599, 683, 1599]))
        at_once(loaders.categories.by_ids([1]))
    depended.append(loaders.asked_upstream)
    assert depended == [False, True]
    assert (receipt.from_memory, receipt.exchanges) == (3 + len(categories), [])


async def test_a_request_keeps_the_records_that_it_was_shown(
    source: CatalogSource, embedded: EmbeddedUpstream
) -> None:
    await live(source).packages.by_id(1599)
    loader = live(source).packages
    shown = at_once(loader.by_id(1599))
    source.batcher.forget()
    assert at_once(loader.by_slug("django-celery-email")) is shown
    assert embedded.requests.total == 1


async def test_only_records_that_are_not_at_hand_are_asked_for(
    source: CatalogSource, embedded: EmbeddedUpstream
) -> None:
    first = await live(source).packages.by_id(1599)
    found = await live(source).packages.by_ids([683, 1599, 683])
    assert found[1] is first
    assert found[0] is found[2]
    assert embedded.requests.total == 2


async def test_a_load_that_failed_stays_failed_for_its_request_even_if_another_was_shown_the_record(
    source: CatalogSource, embedded: EmbeddedUpstream
) -> None:
    embedded.faults.add(Fault(StatusFault(500), path="/api/v4/packages/1599/"))
    loader = live(source).packages
    (failed,) = await loader.by_ids([1599])
    assert isinstance(failed, Exception)
    embedded.faults.clear()
    await live(source).packages.by_id(1599)
    assert await loader.by_ids([1599]) == [failed]
