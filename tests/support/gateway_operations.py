"""Random operations over the gateway's schema, and how much its catalog knows where they run."""

from __future__ import annotations

from typing import Any

from strawberry import relay

from schema import schema
from tests.support.random_operations import Generator

STATES: dict[str, dict[str, Any]] = {
    "all known, nothing missing": {"known": 1},
    "all known": {"known": 1},
    "half known": {"known": 0.5},
    "nothing known": {"known": None},
    "half known, some fail": {"known": 0.5, "failing": 0.1},
    "nothing known, some fail": {"known": None, "failing": 0.1},
}
SLUGS = ["slug-1", "slug-7", "grid-2", "grid-3", "category-1", "category-2", "", "no such", "7"]
IDS = [relay.to_base64(kind, id) for kind in ("Package", "Grid", "Category") for id in (1, 2, 3, 5)]
IDS += [relay.to_base64("Contributor", login) for login in ("a", "ü", "nobody")]
VALUES: dict[str, list[Any]] = {
    "package.slug": [f"slug-{id}" for id in range(1, 40)],
    "grid.slug": [f"grid-{id}" for id in range(1, 12)],
    "slug": SLUGS,
    "id": [*IDS, "no id"],
    "databaseId": [1, 2, 3, 5, 7, 99, -1],
    "first": [0, 1, 3, 20, 101],
    "last": [1, 3, -1],
    "after": ["b2Zmc2V0OjI=", "x"],
    "before": ["b2Zmc2V0OjU="],
    "slugs": SLUGS,
    "login": ["a", "A", "ü", "nobody"],
    "representations": [
        {"__typename": "Package", "slug": "slug-3"},
        {"__typename": "Package", "databaseId": 7},
        {"__typename": "Package", "id": IDS[1]},
        {"__typename": "Package", "pypiName": "Name_1"},
        {"__typename": "Package", "repoUrl": "no address"},
        {"__typename": "Grid", "slug": "grid-2"},
        {"__typename": "Grid", "databaseId": 99},
        {"__typename": "Category", "databaseId": 2},
        {"__typename": "Category", "slug": "category-1"},
        {"__typename": "Contributor", "login": "A"},
        {"__typename": "Package"},
    ],
    "query": ["django", "email OR django", "no such word", " ", "x" * 201],
    "DateTimeRange.after": ["2012-01-01T00:00:00+00:00", "2020-06-01T12:00:00Z"],
    "DateTimeRange.before": ["2022-01-01T00:00:00+00:00", "2011-06-01T12:00:00Z"],
    "DateTime": ["2025-06-01T00:00:00Z", "2025-11-01T00:00:00+02:00", "2030-01-01T00:00:00Z", "2020-01-01"],
    "String": ["x", 'a"b\\c\n☃'],
    "Int": [0, 1, 2],
    "ID": IDS,
    "Boolean": [True, False],
    "Float": [0.5],
}
GENERATOR = Generator(schema._schema, VALUES)
FIXED_FIELDS = [
    *(
        "package",
        "grid",
        "packages",
        "grids",
        "nodes",
        "packagesById",
        "category",
        "title",
        "slug",
        "id",
        "databaseId",
    ),
    *(
        "participants",
        "pypi",
        "repository",
        "commitActivity",
        "lastWeeks",
        "lastUpdated",
        "created",
        "description",
    ),
]
"""Fields that say the same of a record in every request, and some that lead there."""
