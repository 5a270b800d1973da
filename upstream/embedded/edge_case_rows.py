"""Lists the traps of the contract, as overrides of generated rows by id.

Each trap is something that a client of v4 gets wrong if it trusts the obvious. An id beyond the end of a small catalog
is left out with its trap.
"""

from typing import Any

NO_SUCH_PACKAGES = (4, 404)

PACKAGE_TRAPS: dict[int, dict[str, Any]] = {
    # `007` is taken as an id, and so are the Arabic-Indic digits: the answer is this package (section 1).
    7: {},
    # Texts that sorting, escaping and searching have to survive (section 3).
    60: {"title": "🦄 unicorn forms", "slug": "unicorn-forms"},
    61: {"title": "  padded title ", "slug": "padded-title"},
    62: {"title": "\"Quoted\" 'title' <b>&amp;</b> \\ back", "slug": "quoted-title"},
    63: {
        "title": ":rocket: launcher",
        "slug": "rocket-launcher",
        "repo_description": "Lifts :fire: off (generated)",
    },
    64: {"title": "日本語タイトル", "slug": "nihongo"},
    65: {"title": "Upper Case", "slug": "Upper_Case_Slug"},
    66: {"repo_description": "A generated line\u2028separator and a paragraph\u2029separator"},
    # About 400 participants and no cap (section 3).
    146: {"participants": ("dependabot[bot]", *(f"generated-{number}" for number in range(399)))},
    # One hour apart, and only the offset tells them apart (section 3).
    224: {"created": "2013-11-03T01:30:00-04:00"},
    225: {"created": "2013-11-03T01:30:00-05:00"},
    # The one blank repository address that a unique column allows (section 3).
    301: {"repo_url": ""},
    # A version without a number, and none at all (section 3).
    491: {"pypi_version": ""},
    492: {"pypi_version": None},
    # Descriptions have no limit in the database (section 3).
    801: {"repo_description": "A generated description that goes on and on. " * 64},
    1234: {"title": "django-password", "slug": "django-password"},
    # Slugs of digits: a lookup takes them as ids (section 1).
    1240: {"slug": "1234"},
    2500: {"slug": "404"},
    2927: {"repo_description": "Another generated line\u2028separator and paragraph\u2029separator"},
    4567: {"slug": "1599"},
    5301: {"slug": "007"},
}

# The youngest row: not fetched yet, everything blank (section 3).
NEWEST_PACKAGE: dict[str, Any] = {
    "category": 1,
    "title": "django-brand-new",
    "slug": "django-brand-new",
    "last_updated": None,
    "last_fetched": None,
    "repo_url": "https://github.com/generated/django-brand-new",
    "pypi_version": None,
    "created": "2026-02-16T00:30:00-05:00",
    "modified": "2026-02-16T00:30:00-05:00",
    "repo_forks": 0,
    "repo_description": "",
    "pypi_url": "",
    "documentation_url": "",
    "repo_watchers": 0,
    "commits_over_52": (),
    "participants": (),
}

GRID_TRAPS: dict[int, dict[str, Any]] = {
    2: {},
    # Taken as an id, so that grid 108 cannot be reached by its slug (section 1).
    12: {"title": "Cron packages", "slug": "cron-packages"},
    # Nothing in it, and a description with line ends of the web (section 3).
    20: {"title": "Empty", "slug": "empty", "description": "A generated grid.\r\n\r\nNothing is in it yet."},
    78: {"title": "日本語 grids", "slug": "grids"},
    108: {"slug": "12"},
    # The biggest, with 130 packages (section 7).
    110: {"title": "Waffle backends", "slug": "waffle-backends"},
    178: {},
    378: {},
    477: {"title": " :tada: “Quoted” grid", "slug": "Quoted_Grid"},
}

# package.grids is in no order of id (section 2).
MEMBERSHIP_TRAPS = {1234: (2, 78, 477, 178, 378)}
