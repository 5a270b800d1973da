"""Provides a gateway that has crawled, shared by the tests of one file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.streaming_gateway import Served, served


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("storage") / "catalog.sqlite") as gateway:
        yield gateway
