"""Provides gateways over made records, whose answers are asked for again until their subtrees are kept."""

from __future__ import annotations

from typing import Any

from engine import AnswerSubtreeCache
from gateway import Gateway
from gateway.prepared_request import GraphQLRequest
from tests.support.gateway_in_process import gateway_over
from tests.support.upstream_without_http import MadeSource
from upstream.client import Record


def gateway_of(records: list[Record], **settings: Any) -> Gateway:
    return gateway_over(MadeSource(records).as_source(), **settings)


def subtrees_of(gateway: Gateway) -> AnswerSubtreeCache:
    latest = gateway.source.latest
    assert latest is not None
    return gateway.subtrees.of(latest.catalog)


async def answer(gateway: Gateway, text: str, times: int = 1, **variables: object) -> dict[str, Any]:
    """Return the answer, which is the same each of the times that it is asked for."""
    answers = [await gateway.execute(GraphQLRequest(text, variables)) for _ in range(times)]
    assert len({each.body for each in answers}) == 1
    return answers[0].decoded()
