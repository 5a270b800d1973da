"""Takes the data from an answer that has no errors."""

from __future__ import annotations

from typing import Any

from tests.support.gateway_in_process import Ask


async def data(ask: Ask, query: str, **variables: object) -> dict[str, Any]:
    body = await ask(query, **variables)
    assert "errors" not in body, body["errors"]
    answer: dict[str, Any] = body["data"]
    return answer
