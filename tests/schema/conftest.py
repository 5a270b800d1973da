"""Gives the tests of the schema the catalog that the answers are counted against."""

from __future__ import annotations

import pytest

from catalog.catalog_source import CatalogSource
from catalog.indexed_catalog import Catalog
from tests.support.gateway_in_process import Ask


@pytest.fixture
def catalog(source: CatalogSource, ask_catalog: Ask) -> Catalog:
    assert source.latest is not None
    return source.latest.catalog
