"""The three schemas compose, and a schema that does not fit is told by name."""

from __future__ import annotations

from tests.supergraph.conftest import Supergraph
from tests.support.supergraph_programs import compose, data


def urls(supergraph: Supergraph) -> dict[str, str]:
    return {
        "DJANGOPACKAGES_URL": supergraph.djangopackages.url,
        "RELEASES_URL": supergraph.releases.url,
        "REPOSITORIES_URL": supergraph.repositories.url,
    }


def test_the_schemas_compose_with_no_hint_above_information(supergraph: Supergraph) -> None:
    done = compose(**urls(supergraph))
    assert done.returncode == 0
    levels = [line.split()[0] for line in done.stderr.splitlines()]
    assert set(levels) <= {"DEBUG", "INFO"}, done.stderr
    assert 'name: "djangopackages"' in done.stdout


def test_schemas_that_do_not_fit_are_named_and_nothing_is_written(supergraph: Supergraph) -> None:
    twice = urls(supergraph) | {"RELEASES_URL": supergraph.djangopackages.url}
    done = compose(**twice)
    assert done.returncode == 1
    assert done.stdout == ""
    assert 'ERROR INVALID_FIELD_SHARING: Non-shareable field "Package.title"' in done.stderr


def test_a_service_that_cannot_be_asked_for_its_schema_is_named(supergraph: Supergraph) -> None:
    supergraph.releases.fails = True
    done = compose(**urls(supergraph))
    sentence = f"releases does not tell its schema at {supergraph.releases.url}: the status is 503\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", sentence)


def test_clients_see_one_schema_without_the_fields_of_routers(gateway: str) -> None:
    query = '{ __schema { queryType { fields { name } } } __type(name: "Package") { fields { name } } }'
    seen = data(gateway, query)
    root = {field["name"] for field in seen["__schema"]["queryType"]["fields"]}
    package = {field["name"] for field in seen["__type"]["fields"]}
    assert {"package", "grids", "latestReleases", "mostOpenIssues"} <= root
    assert root & {"_entities", "_service"} == set()
    assert {"title", "grids", "pypiName", "releases", "license", "openIssues"} <= package
