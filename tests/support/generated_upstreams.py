"""Provides embedded upstreams over generated catalogs, each size of which is generated once for all tests."""

from __future__ import annotations

from functools import lru_cache

from tests.support.corruptions import copy_of
from upstream.embedded import EmbeddedCatalog, EmbeddedUpstream, generated_catalog


def generated_upstream(*packages: int, latency: float = 0.0) -> EmbeddedUpstream:
    """Return an upstream of so many packages, or of the default size, which the test may change: rows are only ever
    replaced."""
    return EmbeddedUpstream(catalog=copy_of(shared_rows(*packages)), latency=latency)


@lru_cache(maxsize=20)
def shared_rows(*packages: int) -> EmbeddedCatalog:
    """Return the rows of so many packages, or of the default size, which no test may change."""
    return generated_catalog(*packages)
