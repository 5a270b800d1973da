"""Lists the parts of the catalog that the home page offers to browse: the largest grids and the newest packages."""

from __future__ import annotations

from html import escape
from itertools import islice
from urllib.parse import quote

from catalog import Catalog
from upstream.client import GridRecord, PackageRecord
from web.pages.graphiql import link_to

_MOST = 8
"""How many of each are listed."""

_GRID = """query Grid($slug: String!) {
  grid(slug: $slug) {
    title
    description
    packages {
      title
      stars
      lastCommitAt
    }
  }
}
"""
_PACKAGE = """query Package($slug: String!) {
  package(slug: $slug) {
    title
    repoDescription
    stars
    pypiVersion
    lastCommitAt
    grids {
      title
    }
  }
}
"""
_GRIDS = """{
  grids(orderBy: PACKAGE_COUNT_DESC, first: 50) {
    totalCount
    nodes {
      title
      slug
      packageCount
    }
  }
}
"""


def grids_html(catalog: Catalog, *, app_is_built: bool) -> str:
    """Return the grids with the most packages, each a link to its packages: in the app, or in GraphiQL."""
    grids = catalog.view(_largest_grids)
    return "\n".join(
        _item(_grid_address(grid, app_is_built), grid.title, _count(len(grid.packages), "package"))
        for grid in grids
    )


def packages_html(catalog: Catalog, *, app_is_built: bool) -> str:
    """Return the packages that came last, each a link to all about it."""
    packages = islice(catalog.packages.values(), _MOST)
    return "\n".join(
        _item(_package_address(each, app_is_built), each.title, _facts(catalog, each)) for each in packages
    )


def all_grids_address(*, app_is_built: bool) -> str:
    """Return where all grids are."""
    return "/explore/" if app_is_built else link_to(_GRIDS)


def _largest_grids(catalog: Catalog) -> list[GridRecord]:
    return sorted(catalog.grids.values(), key=lambda grid: (-len(grid.packages), grid.title))[:_MOST]


def _grid_address(grid: GridRecord, app_is_built: bool) -> str:
    return f"/explore/grids/{quote(grid.slug, safe='')}" if app_is_built else link_to(_GRID, slug=grid.slug)


def _package_address(package: PackageRecord, app_is_built: bool) -> str:
    path = f"/explore/packages/{quote(package.slug, safe='')}"
    return path if app_is_built else link_to(_PACKAGE, slug=package.slug)


def _facts(catalog: Catalog, package: PackageRecord) -> str:
    category = catalog.categories.get(package.category)
    return f"{category.title if category else 'Package'}, added on {package.created.date()}"


def _item(address: str, title: str, facts: str) -> str:
    return f'<li><a href="{escape(address)}">{escape(title)}</a> <span>{escape(facts)}</span></li>'


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
