"""Queries over all three services give the same data as the services asked one by one, in as few requests as can be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.supergraph.conftest import SECRET, Supergraph
from tests.support.http_servers import serving
from tests.support.supergraph_programs import QUERIES, answer, data

Json = Any
RELEASES = """query($of: [_Any!]!) { _entities(representations: $of) {
    ... on Package { releases(first: 100) { version date requiresPython requires { pypiName } } } } }"""
REPOSITORIES = """query($of: [_Any!]!) { _entities(representations: $of) {
    ... on Package { license openIssues isArchived } } }"""
PACKAGE = "title slug repoWatchers pypiName repoUrl category { title } grids { slug }"


def releases(supergraph: Supergraph, pypi_name: str | None, first: int, *fields: str) -> Json:
    representation = {"__typename": "Package", "pypiName": pypi_name}
    (package,) = supergraph.releases.ask(RELEASES, of=[representation])["_entities"]
    known = package and package["releases"]
    return known and [some(release, *fields) for release in known[:first]]


def repository(supergraph: Supergraph, repo_url: str, *fields: str) -> Json:
    representation = {"__typename": "Package", "repoUrl": repo_url}
    (package,) = supergraph.repositories.ask(REPOSITORIES, of=[representation])["_entities"]
    return some(package, *fields)


def package(supergraph: Supergraph, **key: str) -> Json:
    ((name, value),) = key.items()
    query = f"query($key: String!) {{ package({name}: $key) {{ {PACKAGE} }} }}"
    return supergraph.djangopackages.ask(query, key=value)["package"]


def some(record: Json, *fields: str) -> Json:
    return {name: record[name] for name in fields}


def joined_package(supergraph: Supergraph) -> Json:
    found = package(supergraph, slug="django-celery-email")
    return {
        "package": some(found, "title", "repoWatchers")
        | {"releases": releases(supergraph, found["pypiName"], 3, "version", "date", "requiresPython")}
        | repository(supergraph, found["repoUrl"], "license", "openIssues")
    }


def joined_grid(supergraph: Supergraph) -> Json:
    grid = supergraph.djangopackages.ask(f'{{ grid(slug: "email") {{ title packages {{ {PACKAGE} }} }} }}')[
        "grid"
    ]
    grid["packages"] = [
        some(each, "title", "pypiName", "repoWatchers")
        | {"releases": releases(supergraph, each["pypiName"], 1, "version", "date")}
        | repository(supergraph, each["repoUrl"], "license", "isArchived")
        for each in grid["packages"]
    ]
    return {"grid": grid}


def joined_latest_releases(supergraph: Supergraph) -> Json:
    latest = supergraph.releases.ask("{ latestReleases { version date package { pypiName } } }")[
        "latestReleases"
    ]
    for release in latest:
        found = package(supergraph, pypiName=release["package"]["pypiName"])
        release["package"] = some(found, "title", "category", "grids") | repository(
            supergraph, found["repoUrl"], "license"
        )
    return {"latestReleases": latest}


def joined_open_issues(supergraph: Supergraph) -> Json:
    most = supergraph.repositories.ask("{ mostOpenIssues(first: 4) { openIssues repoUrl } }")[
        "mostOpenIssues"
    ]
    return {"mostOpenIssues": [_with_catalog(supergraph, each) for each in most]}


def _with_catalog(supergraph: Supergraph, known: Json) -> Json:
    found = package(supergraph, repoUrl=known["repoUrl"])
    return (
        some(known, "openIssues")
        | some(found, "title", "slug", "repoWatchers")
        | {"releases": releases(supergraph, found["pypiName"], 1, "version")}
    )


def joined_requirements(supergraph: Supergraph) -> Json:
    found = package(supergraph, slug="django-celery-email")
    (newest,) = releases(supergraph, found["pypiName"], 1, "version", "requires")
    required = [package(supergraph, pypiName=each["pypiName"]) for each in newest["requires"]]
    newest["requires"] = [
        some(each, "title", "repoWatchers") | repository(supergraph, each["repoUrl"], "openIssues")
        for each in required
    ]
    return {"package": {"title": found["title"], "releases": [newest]}}


JOINED: dict[str, Callable[[Supergraph], Json]] = {
    "grid": joined_grid,
    "latest-releases": joined_latest_releases,
    "open-issues": joined_open_issues,
    "package": joined_package,
    "requirements": joined_requirements,
}
REQUESTS = {
    # How many requests each service gets, and how many of the catalog's look records up.
    "grid": ((1, 1, 1), 0),
    "latest-releases": ((1, 1, 1), 1),
    "open-issues": ((1, 1, 1), 1),
    "package": ((1, 1, 1), 0),
    "requirements": ((2, 1, 1), 1),
}


def test_every_query_of_the_example_is_joined_here() -> None:
    assert set(QUERIES) == set(JOINED) == set(REQUESTS)


@pytest.mark.parametrize("name", QUERIES)
def test_a_joined_query_gives_what_the_services_give_one_by_one(
    supergraph: Supergraph, gateway: str, name: str
) -> None:
    assert answer(gateway, QUERIES[name]) == {"data": JOINED[name](supergraph)}


@pytest.mark.parametrize("name", QUERIES)
def test_each_service_is_asked_once_for_a_level_and_django_packages_never(
    supergraph: Supergraph, gateway: str, name: str
) -> None:
    data(gateway, QUERIES[name])
    services = (supergraph.djangopackages, supergraph.releases, supergraph.repositories)
    requests, lookups = REQUESTS[name]
    assert tuple(len(service.asked) for service in services) == requests
    assert supergraph.djangopackages.entity_requests == lookups
    assert supergraph.upstream.requests.total == 0


@pytest.mark.parametrize(("name", "lookups"), [("apollo", 2), ("hive", 1), ("stitching", 1)])
def test_two_places_of_one_level_are_two_requests_of_apollo_and_one_of_the_others(
    supergraph: Supergraph, name: str, lookups: int
) -> None:
    data(supergraph.gateways[name], "{ latestReleases { package { title } requires { title } } }")
    assert supergraph.djangopackages.entity_requests == len(supergraph.djangopackages.asked) == lookups
    assert supergraph.upstream.requests.total == 0


def test_150_packages_are_looked_up_by_one_request(supergraph: Supergraph, gateway: str) -> None:
    names = names_on_pypi(supergraph)
    assert len(names) == 150

    async def latest_releases(_request: Request) -> JSONResponse:
        stubs = [{"__typename": "Package", "pypiName": pypi_name} for pypi_name in names]
        return JSONResponse(
            {"data": {"latestReleases": [{"version": "1.0", "package": stub} for stub in stubs]}}
        )

    busy = Starlette(routes=[Route("/graphql", latest_releases, methods=["POST"])])
    with serving(busy) as address, supergraph.releases.replaced(f"{address}/graphql"):
        latest = data(gateway, "{ latestReleases { package { slug } } }")["latestReleases"]
    slugs = slugs_of(supergraph, names[:100]) + slugs_of(supergraph, names[100:])
    assert [release["package"]["slug"] for release in latest] == slugs
    assert supergraph.djangopackages.entity_requests == len(supergraph.djangopackages.asked) == 1
    assert supergraph.upstream.requests.total == 0


def names_on_pypi(supergraph: Supergraph) -> list[str]:
    """Return the answers for 150 packages, which are different ones."""
    pages = "a: packages(first: 100) { nodes { pypiName } } b: packages(last: 100) { nodes { pypiName } }"
    page = supergraph.djangopackages.ask(f"{{ {pages} }}")
    names = [node["pypiName"] for node in page["a"]["nodes"] + page["b"]["nodes"] if node["pypiName"]]
    return list(dict.fromkeys(names))[:150]


def slugs_of(supergraph: Supergraph, pypi_names: list[str]) -> list[str]:
    query = "query($names: [String!]!) { packagesByPypiName(names: $names) { slug } }"
    found = supergraph.djangopackages.ask(query, names=pypi_names)["packagesByPypiName"]
    return [package["slug"] for package in found]


def test_an_address_that_two_services_spell_differently_is_one_repository(
    supergraph: Supergraph, gateway: str
) -> None:
    found = data(gateway, '{ package(slug: "django-auth-icons-tools") { repoUrl license } }')
    assert found["package"] == {
        "repoUrl": "https://github.com/Generated/django-auth-icons-tools/",
        "license": "MIT",
    }


def test_the_secret_of_the_router_goes_to_the_catalog_alone(supergraph: Supergraph, gateway: str) -> None:
    data(gateway, QUERIES["latest-releases"])
    assert supergraph.djangopackages.secrets == {SECRET}
    assert supergraph.releases.secrets == supergraph.repositories.secrets == {None}
