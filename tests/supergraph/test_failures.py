"""A service that fails or is down takes only its own fields with it, and the catalog's errors keep their codes."""

from __future__ import annotations

import httpx

from tests.supergraph.conftest import Supergraph
from tests.support.gateway_in_process import app_over
from tests.support.http_servers import serving
from tests.support.supergraph_programs import QUERIES, answer
from upstream.embedded import EmbeddedUpstream

TWO = '{ wrong: package(slug: "") { title } right: package(slug: "django-cacheback") { title license } }'
ALL_RELEASES = "{ latestReleases(first: 100) { version package { title license } } }"


def test_one_service_that_fails_takes_only_its_own_fields_with_it(
    supergraph: Supergraph, gateway: str
) -> None:
    supergraph.releases.fails = True
    body = answer(gateway, QUERIES["package"])
    assert body["data"]["package"] == {
        "title": "django-celery-email",
        "repoWatchers": 475,
        "releases": None,
        "license": "BSD-3-Clause",
        "openIssues": 23,
    }
    assert body["errors"]
    assert httpx.URL(supergraph.releases.url).netloc.decode() not in str(body)


def test_one_service_that_is_down_takes_only_its_own_fields_with_it(
    supergraph: Supergraph, gateway: str
) -> None:
    supergraph.repositories.stop()
    try:
        body = answer(gateway, QUERIES["requirements"])
    finally:
        supergraph.repositories.start()
    (release,) = body["data"]["package"]["releases"]
    assert release == {
        "version": "3.1.0",
        "requires": [
            {"title": "django-cacheback", "repoWatchers": 377, "openIssues": None},
            {"title": "django-dbsettings", "repoWatchers": 64, "openIssues": None},
        ],
    }
    assert body["errors"]
    assert httpx.URL(supergraph.repositories.url).netloc.decode() not in str(body)


def test_while_the_catalog_fails_the_others_still_tell_what_is_theirs(
    supergraph: Supergraph, gateway: str
) -> None:
    supergraph.djangopackages.fails = True
    body = answer(gateway, QUERIES["latest-releases"])
    told = [(release["version"], release["package"]) for release in body["data"]["latestReleases"]]
    assert told == [("0.3.0", None), ("3.1.0", None), ("3.0.1", None), ("4.1.0", None), ("24.1", None)]
    assert body["errors"]


def test_an_error_of_the_catalog_keeps_its_code_and_its_place(supergraph: Supergraph, gateway: str) -> None:
    body = answer(gateway, TWO)
    assert body["data"] == {"wrong": None, "right": {"title": "django-cacheback", "license": "MIT"}}
    (error,) = body["errors"]
    assert error["path"] == ["wrong"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["message"] == "package(slug:) is empty; a slug has 1 to 50 characters."


def test_a_package_that_the_catalog_does_not_have_is_null_at_its_place(
    supergraph: Supergraph, gateway: str
) -> None:
    body = answer(gateway, ALL_RELEASES)
    packages = {release["version"]: release["package"] for release in body["data"]["latestReleases"]}
    assert packages["1.0"] is None
    assert packages["1.0b2"] == {"title": "django-market-review", "license": "Apache-2.0"}
    assert [version for version, package in packages.items() if package is None] == ["1.0"]
    assert len(supergraph.djangopackages.asked) == 1


def test_why_the_catalog_cannot_find_a_package_is_told_by_its_code(
    supergraph: Supergraph, gateway: str
) -> None:
    upstream = EmbeddedUpstream(packages=5)
    upstream.faults.state = "down"
    with (
        serving(app_over(upstream)) as cold,
        supergraph.djangopackages.replaced(f"{cold}/graphql"),
    ):
        body = answer(gateway, QUERIES["latest-releases"])
    assert [release["package"] for release in body["data"]["latestReleases"]] == [None] * 5
    assert {error["extensions"]["code"] for error in body["errors"]} == {"UPSTREAM_UNAVAILABLE"}
