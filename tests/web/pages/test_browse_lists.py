"""Tests the lists of the home page for packages that are unlike those of today."""

from __future__ import annotations

from catalog.catalog_source import CatalogSource
from upstream.embedded import EmbeddedUpstream
from web.pages.browse_lists import packages_html


async def test_a_year_before_1000_has_four_digits(embedded: EmbeddedUpstream, source: CatalogSource) -> None:
    embedded.catalog.insert_package(slug="beowulf", title="Beowulf", created="0975-03-01T12:00:00+00:00")
    catalog = (await source.crawl()).snapshot.catalog
    assert "added on 0975-03-01" in packages_html(catalog, app_is_built=True)
