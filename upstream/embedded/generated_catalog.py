"""Generates the catalog: the five real packages among any number of made-up ones.

The same size and seed give the same catalog everywhere. Ids have gaps, and every trap of the contract is in
the default size; in a small one the traps whose ids lie beyond its end are left out.
"""

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from .edge_case_rows import GRID_TRAPS, MEMBERSHIP_TRAPS, NEWEST_PACKAGE, NO_SUCH_PACKAGES, PACKAGE_TRAPS
from .editable_catalog import EmbeddedCatalog
from .generated_fields import (
    drawn_commits,
    drawn_description,
    drawn_documentation_url,
    drawn_grid_description,
    drawn_login,
    drawn_moment,
    drawn_title,
    drawn_version,
    unused_slug,
)
from .generated_words import GRID_FORMS, HOSTS, PYPI_URLS, TOPICS
from .recorded_packages import seed_packages
from .row_types import CategoryRow, GridRow, PackageRow
from .seeded_random import SeededRandom, eastern

# The measured catalog (contract, section 0); other sizes are in proportion.
_PACKAGES, _LAST_PACKAGE = 5400, 6010
_GRIDS, _LAST_GRID = 440, 491
_MEMBERSHIPS = 6296

_FIRST_CREATED = 1_281_826_072  # 14 August 2010, when the catalog opened
_LAST_CREATED = 1_771_200_000  # 15 February 2026, when the seeds were taken
_YEAR = 31_556_952
_DAY = 86_400

_SEED_GRIDS = {
    15: ("Email", "email"),
    39: ("Caching", "caching"),
    55: ("Settings", "settings"),
    84: ("Storage", "storage"),
    231: ("Accounts", "accounts"),
    282: ("Invitations", "invitations"),
    439: ("Jazzband packages", "jazzband"),
}


def generated_catalog(packages: int = _PACKAGES, seed: int = 1) -> EmbeddedCatalog:
    """Return a catalog of this many packages, with the five seeds among them."""
    seeds = seed_packages()
    if packages < len(seeds):
        raise ValueError(f"packages must be at least {len(seeds)}, the real ones; it is {packages}.")
    draws = SeededRandom(seed)
    with _collector_off():
        package_ids = _package_ids(draws, packages, {row.id for row in seeds})
        grids = _grids(draws, packages)
        memberships = _memberships(draws, packages, package_ids, list(grids), seeds)
        rows = {row.id: row for row in _packages(draws, package_ids, memberships)} | {
            row.id: row for row in seeds
        }
        members: dict[int, list[int]] = {key: [] for key in grids}
        for row in rows.values():
            for key in row.grids:
                members[key].append(row.id)
        for key, grid in grids.items():
            by_title = sorted(members[key], key=lambda package: (rows[package].title, package))
            grids[key] = msgspec.structs.replace(grid, packages=tuple(by_title))
        return EmbeddedCatalog(rows.values(), grids.values(), _categories())


def _package_ids(draws: SeededRandom, packages: int, seeds: set[int]) -> list[int]:
    """Return the ids of the generated packages, ascending."""
    wanted = packages - len(seeds)
    if wanted == 0:
        return []
    last = packages * _LAST_PACKAGE // _PACKAGES
    newest = max(last, max(seeds) + 1)
    pool = [key for key in range(1, min(last, newest - 1) + 1) if key not in seeds]
    without = set(NO_SUCH_PACKAGES) & set(pool)
    while len(pool) - len(without) > wanted - 1:
        key = draws.pick(pool)
        if key not in PACKAGE_TRAPS:
            without.add(key)
    kept = [key for key in pool if key not in without]
    # In a very small catalog the gaps leave one short of what is wanted.
    return [*kept, *range(newest - (wanted - 1 - len(kept)), newest + 1)]


def _packages(
    draws: SeededRandom, package_ids: list[int], memberships: dict[int, tuple[int, ...]]
) -> Iterable[PackageRow]:
    if not package_ids:
        return
    newest = package_ids[-1]
    logins = [drawn_login(draws) for _ in range(len(package_ids) // 3 + 20)]
    slugs: dict[str, int] = {trap["slug"]: 1 for trap in PACKAGE_TRAPS.values() if "slug" in trap}
    slugs |= {row.slug: 1 for row in seed_packages()}
    for key in package_ids:
        title = drawn_title(draws)
        slug = unused_slug(title.lower().replace(" ", "-"), slugs)
        created = _FIRST_CREATED + (_LAST_CREATED - _FIRST_CREATED) * (key - 1) // newest
        fields: dict[str, Any] = {
            "category": draws.pick((1, 1, 1, 1, 1, 2, 3, 4, 4, 7, 8)),
            "grids": memberships.get(key, ()),
            "id": key,
            "title": title,
            "slug": slug,
            "last_updated": None if draws.chance(3) else eastern(_LAST_CREATED - draws.small(14 * _YEAR)),
            "last_fetched": None if draws.chance(1) else drawn_moment(draws, _LAST_CREATED - 5_000, _DAY),
            "repo_url": draws.pick(HOSTS).format(slug),
            "pypi_version": drawn_version(draws),
            "created": drawn_moment(draws, created, 3_600),
            "modified": drawn_moment(draws, _LAST_CREATED - 18 * _DAY, _DAY),
            "repo_forks": draws.small(2_000),
            "repo_description": drawn_description(draws, title),
            "pypi_url": draws.pick(PYPI_URLS).format(slug),
            "documentation_url": drawn_documentation_url(draws, slug),
            "repo_watchers": draws.small(12_000),
            "commits_over_52": drawn_commits(draws),
            "participants": tuple(dict.fromkeys(draws.pick(logins) for _ in range(draws.small(40)))),
        }
        fields |= NEWEST_PACKAGE if key == newest else PACKAGE_TRAPS.get(key, {})
        yield PackageRow(**fields)


def _grids(draws: SeededRandom, packages: int) -> dict[int, GridRow]:
    wanted = max(len(_SEED_GRIDS), packages * _GRIDS // _PACKAGES)
    last = wanted * _LAST_GRID // _GRIDS
    kept = {*_SEED_GRIDS, *(key for key in GRID_TRAPS if key <= last)} if wanted > 40 else set(_SEED_GRIDS)
    while len(kept) < wanted:
        kept.add(draws.below(max(last, 20)) + 1)
    slugs = {trap["slug"]: 1 for trap in GRID_TRAPS.values() if "slug" in trap}
    slugs |= {slug: 1 for _, slug in _SEED_GRIDS.values()}
    grids: dict[int, GridRow] = {}
    for key in sorted(kept):
        title = draws.pick(GRID_FORMS).format(draws.pick(TOPICS).capitalize())
        slug = unused_slug(title.lower().replace(" ", "-"), slugs)
        if key in _SEED_GRIDS:
            title, slug = _SEED_GRIDS[key]
        created = _FIRST_CREATED + (_LAST_CREATED - _FIRST_CREATED) * key // (last + 1)
        fields: dict[str, Any] = {
            "id": key,
            "title": title,
            "slug": slug,
            "description": drawn_grid_description(draws, title),
            "is_locked": draws.chance(10),
            "packages": (),
            "header": draws.chance(5),
            "created": drawn_moment(draws, created, 3_600),
            "modified": drawn_moment(draws, created + _YEAR // 12, _YEAR // 3),
        }
        grids[key] = GridRow(**(fields | GRID_TRAPS.get(key, {})))
    return grids


def _memberships(
    draws: SeededRandom, packages: int, package_ids: list[int], grid_ids: list[int], seeds: list[PackageRow]
) -> dict[int, tuple[int, ...]]:
    """Return which package is in which grids, in no order of id, as the database gives them (section 2)."""
    grids_of: dict[int, dict[int, None]] = {}
    exact, fixed = (
        {15: 8, 110: 130},
        {key: grids for key, grids in MEMBERSHIP_TRAPS.items() if key in package_ids},
    )
    count = sum(len(row.grids) for row in seeds)
    for key, wished in fixed.items():
        grids_of[key] = {grid: None for grid in wished if grid in grid_ids}
        count += len(grids_of[key])
    # The newest package and half of the others are in no grid; one grid in twelve is empty.
    joining = [key for key in package_ids[:-1] if key not in fixed and draws.chance(52)]
    if not joining:
        return {}
    for grid, size in exact.items():
        if grid in grid_ids and len(joining) >= 4 * size:
            missing = size - sum(grid in row.grids for row in seeds)
            while missing:
                added = _add(grids_of, draws.pick(joining), grid)
                missing, count = missing - added, count + added
    empty = {key for key in grid_ids if draws.chance(8) and key not in _SEED_GRIDS} | {20}
    open_grids = [key for key in grid_ids if key not in exact and key not in empty]
    target = min(packages * _MEMBERSHIPS // _PACKAGES, len(joining) * len(open_grids) // 2)
    while count < target:
        count += _add(grids_of, draws.pick(joining), open_grids[draws.below(len(open_grids))])
    return {key: tuple(grids) for key, grids in grids_of.items()}


def _add(grids_of: dict[int, dict[int, None]], package: int, grid: int) -> int:
    grids = grids_of.setdefault(package, {})
    before = len(grids)
    grids[grid] = None
    return len(grids) - before


def _categories() -> list[CategoryRow]:
    # The six that were measured (contract, section 0), with their blanks; descriptions are ours.
    texts = (
        (1, "Apps", "apps", "Small parts that are installed in a project's settings.", "Apps", True),
        (
            2,
            "Frameworks",
            "frameworks",
            "Large efforts of many modules.\r\nGenerated text.",
            "Frameworks",
            True,
        ),
        (3, "Projects", "projects", "Ready to be used as they are.", "Projects", False),
        (4, "Other", "other", "Tools, helpers and “everything else”.", "Other", True),
        (7, "Template & starter kit", "templates", "", "", False),
        (8, "Widgets", "Widgets_legacy", "", "Widgets", True),
    )
    return [
        CategoryRow(
            id=key,
            title=title,
            slug=slug,
            description=description,
            title_plural=plural,
            show_pypi=show_pypi,
            created=eastern(_FIRST_CREATED + 17 * key),
            modified=eastern(_FIRST_CREATED + key * _YEAR, 123_456 if key > 1 else 0),
        )
        for key, title, slug, description, plural, show_pypi in texts
    ]


@contextmanager
def _collector_off() -> Iterator[None]:
    # Nothing here makes cycles, and half a million rows would be walked again and again.
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
