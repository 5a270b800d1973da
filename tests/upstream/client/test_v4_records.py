"""Tests records: contract section 3, and the seeds as the first real input."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import msgspec
import pytest

from upstream.client.v4_records import (
    CATEGORY,
    GRID,
    PACKAGE,
    BadRecord,
    PackageRecord,
    SearchHitRecord,
    decode_search,
    id_from_link,
)
from upstream.embedded.recorded_packages import SEED_IDS, seed_record

PACKAGE_BODY: dict[str, Any] = {
    "category": "https://djangopackages.org/api/v4/categories/4/",
    "grids": ["https://djangopackages.org/api/v4/grids/39/"],
    "id": 1,
    "title": "a",
    "slug": "a",
    "last_updated": None,
    "last_fetched": None,
    "repo_url": "",
    "pypi_version": None,
    "created": "2026-02-16T00:30:00-05:00",
    "modified": "2026-02-16T00:30:00-05:00",
    "repo_forks": 0,
    "repo_description": "",
    "pypi_url": "",
    "documentation_url": None,
    "repo_watchers": 0,
    "commits_over_52": [],
    "participants": [],
}


def package_body(**changes: object) -> bytes:
    return json.dumps(PACKAGE_BODY | changes).encode()


@pytest.mark.parametrize(
    "link",
    [
        "https://djangopackages.org/api/v4/packages/1599/",
        "http://127.0.0.1:8801/api/v4/packages/1599/?format=json",
        "https://djangopackages.org/api/v4/packages/1599/?format=api",
        "http://gateway.example:9000/api/v4/packages/1599.json",
        "http://gateway.example:9000/api/v4/packages/1599.json?format=json",
        "/packages/1599",
    ],
)
def test_an_id_is_the_last_path_segment_of_a_link(link: str) -> None:
    assert id_from_link(link) == 1599


@pytest.mark.parametrize(
    "link",
    [
        "",
        "/",
        "http://x/packages/",
        "http://x/packages/abc/",
        "http://x/packages/\u0667/",
        "http://x/packages/9223372036854775808/",
        f"http://x/packages/{'0' * 20}{'9' * 20}/",
    ],
)
def test_a_link_without_an_id_is_refused(link: str) -> None:
    with pytest.raises(ValueError, match="does not end in an id"):
        id_from_link(link)


@pytest.mark.parametrize("seed", SEED_IDS)
def test_each_seed_decodes_to_the_last_field(seed: int) -> None:
    body = seed_record(seed)
    package = PACKAGE.decode(json.dumps(body).encode())
    decoded = msgspec.to_builtins(package)
    expected = body | {
        "category": id_from_link(body["category"]),
        "grids": [id_from_link(link) for link in body["grids"]],
    }
    assert {
        name: list(value) if isinstance(value, tuple) else value for name, value in decoded.items()
    } == expected


def test_a_moment_keeps_its_offset_and_its_digits() -> None:
    package = PACKAGE.decode(package_body(created="2013-11-03T01:30:00.120000-04:00"))
    assert package.created.isoformat() == "2013-11-03T01:30:00.120000-04:00"
    assert package.created == datetime.fromisoformat("2013-11-03T05:30:00.120000+00:00")


def test_unknown_keys_are_ignored() -> None:
    assert PACKAGE.decode(package_body(pypi_downloads=3)).id == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "1"),
        ("title", None),
        ("repo_watchers", None),
        ("repo_watchers", 1.5),
        ("created", "2026-02-16T00:30:00"),
        ("created", "yesterday"),
        ("category", None),
        ("category", "https://djangopackages.org/"),
        ("grids", ["https://djangopackages.org/api/v4/grids/x/"]),
        ("participants", "jezdez"),
    ],
)
def test_a_wrong_type_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(msgspec.DecodeError, match=rf"at `\$\.{field}"):
        PACKAGE.decode(package_body(**{field: value}))


@pytest.mark.parametrize(
    ("field", "sent", "taken"),
    [
        ("commits_over_52", [1.0, 2, 3e1], (1, 2, 30)),
        ("commits_over_52", [-(2**31), 2**31 - 1], (-(2**31), 2**31 - 1)),
        ("repo_watchers", 5.0, 5),
        ("last_updated", "1880-05-05T07:03:58-04:56:02", datetime.fromisoformat("1880-05-05T07:04:00-04:56")),
        (
            "created",
            "1880-05-05T07:03:58.5-04:56:02",
            datetime.fromisoformat("1880-05-05T07:04:00.500-04:56"),
        ),
    ],
)
def test_an_odd_value_that_means_a_right_one_is_taken(field: str, sent: object, taken: object) -> None:
    package = PACKAGE.decode(package_body(**{field: sent}))
    assert package.unfit == ()
    value = getattr(package, field)
    assert value == taken
    assert str(value) == str(taken)
    # What is stored is the same again: JSON encoders know no seconds in an offset.
    assert msgspec.json.decode(msgspec.json.encode(package), type=PackageRecord) == package


@pytest.mark.parametrize(
    ("field", "sent"),
    [
        *(("commits_over_52", sent) for sent in ([1, None, 2], [1.5], [2**31], [-(2**31) - 1], [10**30])),
        *(("commits_over_52", sent) for sent in (5, "x", {"a": 1}, [["x"]], ["1"], [True], [1e300])),
        ("last_updated", "yesterday"),
        ("last_updated", "1880-05-05T07:03:58-04:56:99"),
        ("last_updated", "0001-01-01T00:00:00+23:59:59"),
        ("last_fetched", 5),
    ],
)
def test_an_odd_value_of_a_field_that_can_be_null_is_left_out_by_name(field: str, sent: object) -> None:
    package = PACKAGE.decode(package_body(**{field: sent}))
    assert (getattr(package, field), package.unfit) == (None, (field,))
    assert msgspec.json.decode(msgspec.json.encode(package), type=PackageRecord) == package


def test_a_moment_before_railway_time_is_taken_in_grids_too() -> None:
    early = "1880-05-05T07:03:58-04:56:02"
    grid = GRID.decode(
        b'{"id":15,"title":"Email","slug":"email","description":"","is_locked":false,"packages":[],"header":false,'
        b'"created":"%b","modified":"%b"}' % (early.encode(), early.encode())
    )
    assert grid.created.isoformat() == "1880-05-05T07:04:00-04:56"


def test_commits_can_be_null() -> None:
    # The column is JSON, so the database lets null through (contract section 3).
    assert PACKAGE.decode(package_body(commits_over_52=None)).commits_over_52 is None


def test_a_bad_record_keeps_its_place_and_leaves_the_page_whole() -> None:
    page = PACKAGE.decode_page(
        b'{"count":4,"next":null,"previous":null,"results":['
        + b",".join([package_body(id=9), package_body(id=8, title=3), b'{"id":"x"}', package_body(id=7)])
        + b"]}"
    )
    assert [result.id for result in page.results] == [9, 8, None, 7]
    assert [record.id for record in page.records] == [9, 7]
    bad = page.results[1]
    assert isinstance(bad, BadRecord)
    assert "$.title" in bad.reason


def test_a_record_that_is_not_utf_8_leaves_the_page_whole() -> None:
    broken = package_body(id=8, title="x").replace(b'"x"', b'"\xff"')
    page = PACKAGE.decode_page(
        b'{"count":2,"next":null,"previous":null,"results":[' + broken + b"," + package_body(id=7) + b"]}"
    )
    assert isinstance(page.results[0], BadRecord)
    assert [record.id for record in page.records] == [7]


def test_a_grid_and_a_category_decode() -> None:
    grid = GRID.decode(
        b'{"id":15,"title":"Email","slug":"email","description":"","is_locked":false,'
        b'"packages":["http://x/api/v4/packages/1599/"],"header":false,'
        b'"created":"2011-01-22T13:45:27.519720-05:00","modified":"2023-02-09T14:07:50.039857-05:00"}'
    )
    assert (grid.id, grid.packages, grid.header) == (15, (1599,), False)
    category = CATEGORY.decode(
        b'{"id":1,"title":"Apps","slug":"apps","description":"","title_plural":"Apps","show_pypi":true,'
        b'"created":"2010-08-14T18:47:52-04:00","modified":"2010-08-14T18:47:52-04:00"}'
    )
    assert (category.id, category.show_pypi) == (1, True)


def test_a_search_hit_that_does_not_fit_leaves_the_others() -> None:
    hit = {
        "description": "",
        "title": "a",
        "title_no_prefix": "a",
        "slug_no_prefix": "a",
        "clean_title": "a",
        "absolute_url": "/packages/p/a/",
        "created": "2026-11-21T04:10:18.711667-05:00",
        "modified": "2026-11-21T04:10:18.714031-05:00",
        "weight": 54,
        "item_type": "package",
        "slug": "a",
        "category": "Other",
        "repo_watchers": 1,
        "repo_forks": 1,
        "pypi_downloads": 1,
        "score": 1,
        "usage": 0,
        "participants": "a,b",
        "last_committed": None,
        "last_released": None,
    }
    good, bad = decode_search(json.dumps([hit, hit | {"item_type": "person"}]).encode())
    assert isinstance(good, SearchHitRecord)
    assert good.item_type == "package"
    assert isinstance(bad, BadRecord)
