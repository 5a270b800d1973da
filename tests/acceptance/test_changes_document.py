"""Tests docs/changes.md: its operations fit the schema, and its curl line is told of a change."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from pathlib import Path

import pytest

from tests.support.streaming_gateway import SUBSCRIPTION, served
from web.websocket_endpoint import MAX_OPERATIONS

TEXT = (Path(__file__).parents[2] / "docs" / "changes.md").read_text(encoding="utf-8")
OPERATIONS = re.findall(r"```graphql\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("number", range(len(OPERATIONS)))
def test_its_queries_are_answered(tmp_path: Path, number: int) -> None:
    with served(tmp_path / "catalog.sqlite") as gateway:
        assert gateway.ask(OPERATIONS[number])


def test_its_numbers_are_those_of_the_program() -> None:
    assert f"can have {MAX_OPERATIONS} operations" in TEXT


def test_its_subscription_over_a_websocket_is_one_of_this_graph() -> None:
    (query,) = re.findall(r'query = "(.*?)"', TEXT)
    start = "subscription($since: String) { catalogChanged(since: $since) {"
    assert query.startswith(start)
    assert SUBSCRIPTION.startswith(start)


async def test_its_curl_line_is_told_of_a_change(tmp_path: Path) -> None:
    (command,) = re.findall(r"```sh\n(curl .*?)\n```", TEXT)
    with served(tmp_path / "catalog.sqlite") as gateway:
        arguments = shlex.split(command.replace("http://127.0.0.1:8000", gateway.address))
        process = await asyncio.create_subprocess_exec(*arguments, stdout=asyncio.subprocess.PIPE)
        assert process.stdout is not None
        event = asyncio.ensure_future(process.stdout.readline())
        number = 0
        while not event.done():
            # Nobody tells when a subscription has begun, so there is change until it has.
            number += 1
            gateway.upstream.catalog.update_package(1599, title=f"title {number}")
            await asyncio.to_thread(gateway.crawl)
            await asyncio.wait([event], timeout=0.05)
        assert event.result() == b"event: next\r\n"
        data = json.loads((await process.stdout.readline()).removeprefix(b"data: "))
        process.kill()
        await process.wait()
    assert data["data"]["catalogChanged"]["slug"] == "django-celery-email"
