"""Other teams' schemas are composed with the gateway's: by three composers of Federation, and by schema stitching."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import httpx
import pytest
from strawberry import relay

from examples.supergraph.subgraphs import releases
from tests.generated_text import SUBGRAPH
from tests.support.required_programs import npm_install
from tests.support.streaming_gateway import Served, served

HERE = Path(__file__).parent
TEAMS = ["releases", "repositories", "nodes"]


@pytest.fixture(scope="module", autouse=True)
def modules() -> Path:
    return npm_install(HERE)


def node(script: str, *arguments: str) -> Any:
    done = subprocess.run(
        ["node", str(HERE / script), *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


TOGETHER = [(), ("releases",), *combinations(TEAMS, 2), tuple(TEAMS)]
"""The teams of each composition."""


def files(*teams: str, packages: Path = SUBGRAPH) -> dict[str, str]:
    """Return the files of a composition by the names of their subgraphs."""
    return {"packages": str(packages)} | {team: str(HERE / f"{team}.graphql") for team in teams}


def composed(*compositions: dict[str, str]) -> list[dict[str, Any]]:
    """Return what the composers say, by their names, of each of these compositions."""
    found: list[dict[str, Any]] = node("compose.js", *map(json.dumps, compositions))
    assert [sorted(said) for said in found] == [["apollo", "cosmo", "open_source"]] * len(compositions)
    return found


@pytest.fixture(scope="module")
def compositions(modules: Path) -> dict[tuple[str, ...], dict[str, Any]]:
    """Compose all by one program, which takes longer to start than to compose."""
    return dict(zip(TOGETHER, composed(*(files(*teams) for teams in TOGETHER)), strict=True))


@pytest.mark.parametrize("teams", TOGETHER, ids=lambda teams: "+".join(teams) or "alone")
def test_composers_have_no_error_and_no_hint_above_info(
    compositions: dict[tuple[str, ...], dict[str, Any]], teams: tuple[str, ...]
) -> None:
    for composer, said in compositions[teams].items():
        assert said["errors"] == [], composer
        assert [hint for hint in said["hints"] if hint[0] not in ("INFO", "DEBUG")] == [], composer


def test_a_key_that_is_gone_fails_the_composition_of_those_who_refer_by_it(tmp_path: Path) -> None:
    """The tests before this one could fail."""
    without = tmp_path / "subgraph.graphql"
    without.write_text(
        SUBGRAPH.read_text(encoding="utf-8").replace(' @key(fields: "pypiName")', ""), encoding="utf-8"
    )
    (found,) = composed(files("releases", packages=without))
    for composer, said in found.items():
        assert said["errors"] != [], composer


async def test_the_example_in_python_composes_and_answers_as_that_in_javascript(tmp_path: Path) -> None:
    sdl = tmp_path / "releases.graphql"
    sdl.write_text(releases.schema.as_str(), encoding="utf-8")
    (found,) = composed(files() | {"releases": str(sdl)})
    for composer, said in found.items():
        assert said["errors"] == [], composer
    query = """query ($packages: [_Any!]!) {
      _entities(representations: $packages) { ... on Package { pypiName releases { version } } }
      latestReleases(first: 1) { requires { pypiName } package { pypiName } }
    }"""
    keys = ["dj-address", None, {"error": "lost"}, "no-such-package"]
    packages = [{"__typename": "Package", "pypiName": key} for key in keys]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(releases.app)) as client:
        request = {"query": query, "variables": {"packages": packages}}
        answer = (await client.post("http://releases/graphql/", json=request)).json()
    first = releases.RELEASES[0]
    assert answer["data"] == {
        "_entities": [
            {"pypiName": "dj-address", "releases": [{"version": "3.0.1"}]},
            None,
            None,
            {"pypiName": "no-such-package", "releases": None},
        ],
        "latestReleases": [
            {
                "requires": [{"pypiName": name} for name in first["requires"]],
                "package": {"pypiName": first["pypiName"]},
            }
        ],
    }


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("storage") / "catalog.sqlite") as gateway:
        yield gateway


EMAIL = {"title": "django-celery-email", "grids": [{"slug": "email"}]}


def test_stitching_joins_records_by_all_that_teams_know_of_them(gateway: Served) -> None:
    gateway.upstream.requests.reset()
    query = """{
      releases { version package { title grids { slug } } }
      archived { license title }
      package(slug: "django-celery-email") { title license releases { version } }
    }"""
    names = ["django-celery-email", "Django_Celery.Email"]
    said = node("stitch.js", gateway.address, query, json.dumps(names))
    assert said["answer"] == {
        "data": {
            "releases": [{"version": "0.0", "package": EMAIL}, {"version": "1.0", "package": EMAIL}],
            "archived": [{"license": "BSD", "title": "django-celery-email"}],
            "package": {
                "title": "django-celery-email",
                "license": "MIT",
                "releases": [{"version": "3.0"}],
            },
        }
    }
    # All that is asked of the gateway at one level is one request.
    assert len(said["sent"]) == 1
    assert gateway.upstream.requests.total == 0


def test_stitching_asks_for_a_hundred_keys_at_once(gateway: Served) -> None:
    names = ["django-celery-email", *(f"no-such-package-{count}" for count in range(249))]
    said = node("stitch.js", gateway.address, "{ releases { package { pypiUrl: slug } } }", json.dumps(names))
    packages = [each["package"] for each in said["answer"]["data"]["releases"]]
    assert packages[0] == {"pypiUrl": "django-celery-email"}
    assert packages[1:] == [None] * 249
    asked = [len(keys) for sent in said["sent"] for keys in sent["variables"].values()]
    assert asked == [100, 100, 50]


def test_stitching_finds_records_of_all_types(gateway: Served) -> None:
    query = "{ releases { author { id } topic { databaseId } kind { title } } }"
    said = node("stitch.js", gateway.address, query, '["django-celery-email"]')
    release = {
        "author": {"id": relay.to_base64("Contributor", "pmac")},
        "topic": {"databaseId": 15},
        "kind": {"title": "Apps"},
    }
    assert said["answer"] == {"data": {"releases": [release]}}


def test_stitching_spreads_what_it_looks_up_one_by_one_over_requests(gateway: Served) -> None:
    names = [f"no-such-package-{count}" for count in range(120)]
    said = node("stitch.js", gateway.address, "{ releases { author { packageCount } } }", json.dumps(names))
    assert "errors" not in said["answer"]
    authors = [each["author"] for each in said["answer"]["data"]["releases"]]
    assert authors == authors[:1] * 120
    assert len(said["sent"]) == 3
