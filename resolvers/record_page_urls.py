"""Gives the address of the page of a record on Django Packages."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from upstream.client import CategoryRecord, GridRecord, PackageRecord

SITE: Final = "https://djangopackages.org"
"""The site, whichever copy of its API the gateway reads, because a mirror of the API has no pages."""


def package_page(root: PackageRecord) -> str:
    """Return the address of the page of a package."""
    return f"{SITE}/packages/p/{quote(root.slug)}/"


def grid_page(root: GridRecord) -> str:
    """Return the address of the page of a grid."""
    return f"{SITE}/grids/g/{quote(root.slug)}/"


def category_page(root: CategoryRecord) -> str:
    """Return the address of the page of a category."""
    return f"{SITE}/categories/{quote(root.slug)}/"
