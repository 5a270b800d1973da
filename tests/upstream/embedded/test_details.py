"""Tests details, lookups, forms and headers (contract, sections 1, 5 and 6), beyond what the recordings show."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.generated_upstreams import generated_upstream
from upstream.embedded import SEED_IDS, EmbeddedUpstream, seed_record


@pytest.fixture(scope="module")
def upstream() -> EmbeddedUpstream:
    return generated_upstream()


@pytest.fixture
async def client(upstream: EmbeddedUpstream) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=upstream)
    async with httpx.AsyncClient(transport=transport, base_url="http://v4") as client:
        yield client


@pytest.mark.parametrize("package_id", SEED_IDS)
@pytest.mark.parametrize("size", [5, 50])
async def test_the_real_records_are_served_as_they_were(package_id: int, size: int) -> None:
    transport = httpx.ASGITransport(app=generated_upstream(size))
    async with httpx.AsyncClient(transport=transport, base_url="http://djangopackages.org") as client:
        answer = await client.get(
            f"/api/v4/packages/{package_id}/?format=json", headers={"X-Forwarded-Proto": "https"}
        )
    seed = seed_record(package_id)
    assert answer.text.replace("?format=json", "?format=api").startswith(f'{{"category":"{seed["category"]}"')
    assert list(answer.json()) == list(seed)
    links = {
        "category": seed["category"].replace("=api", "=json"),
        "grids": [link.replace("=api", "=json") for link in seed["grids"]],
    }
    assert answer.json() == seed | links


@pytest.mark.parametrize(
    ("path", "package_id"),
    [("1599", 1599), ("007", 7), ("%D9%A7", 7), ("django-cacheback", 1442), ("1234", 1234)],
)
async def test_digits_are_an_id_and_all_else_a_slug(
    path: str, package_id: int, client: httpx.AsyncClient
) -> None:
    assert (await client.get(f"/api/v4/packages/{path}/")).json()["id"] == package_id


@pytest.mark.parametrize("key", ["01", "+1", "%201", "%D9%A1"])
async def test_a_category_id_is_read_as_python_reads_numbers(key: str, client: httpx.AsyncClient) -> None:
    assert (await client.get(f"/api/v4/categories/{key}/")).json()["slug"] == "apps"


@pytest.mark.parametrize("proto", ["https", "https,http", " https , x"])
async def test_https_comes_from_the_first_forwarded_scheme(proto: str, client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v4/packages/1599/", headers={"X-Forwarded-Proto": proto})
    assert answer.json()["category"] == "https://v4/api/v4/categories/1/"
    assert "strict-transport-security" in answer.headers


@pytest.mark.parametrize("proto", ["http", "HTTPS", "http,https"])
async def test_any_other_forwarded_scheme_is_http(proto: str, client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v4/packages/1599/", headers={"X-Forwarded-Proto": proto})
    assert answer.json()["category"] == "http://v4/api/v4/categories/1/"
    assert "strict-transport-security" not in answer.headers


async def test_the_same_path_asked_under_two_hosts_has_the_links_of_each(client: httpx.AsyncClient) -> None:
    for host in ("one.example", "two.example:81", "one.example", "[::1]:8000"):
        for _ in range(2):
            answer = await client.get("/api/v4/packages/1599/", headers={"Host": host})
            assert answer.json()["category"] == f"http://{host}/api/v4/categories/1/"
            assert int(answer.headers["content-length"]) == len(answer.content)


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/*", 200),
        ("application/json; indent=2", 200),
        ("application/json;indent=x", 200),
        ("text/plain", 406),
        ("nonsense", 406),
        ("image/png, */*;q=0.1", 200),
    ],
)
async def test_accept_decides_between_json_and_406(
    accept: str, status: int, client: httpx.AsyncClient
) -> None:
    answer = await client.get("/api/v4/categories/1/", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")


@pytest.mark.parametrize(("query", "status"), [("format=", 200), ("format=JSON", 404), ("format=html", 404)])
async def test_a_format_is_known_or_a_404(query: str, status: int, client: httpx.AsyncClient) -> None:
    assert (await client.get(f"/api/v4/categories/1/?{query}")).status_code == status


async def test_an_accept_header_that_fails_wins_over_a_wrong_method(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/v4/packages/", headers={"Accept": "text/plain"})
    assert answer.status_code == 406


@pytest.mark.parametrize("method", ["TRACE", "INVENTED"])
async def test_any_other_method_is_a_405(method: str, client: httpx.AsyncClient) -> None:
    answer = await client.request(method, "/api/v4/")
    assert answer.status_code == 405
    assert answer.json() == {"detail": f'Method "{method}" not allowed.'}


@pytest.mark.parametrize(
    "path", ["packages/", "packages/1/", "grids/", "grids/1/", "categories/1/", "search/", ""]
)
async def test_options_describe_every_endpoint(path: str, client: httpx.AsyncClient) -> None:
    answer = await client.options(f"/api/v4/{path}")
    assert list(answer.json()) == ["name", "description", "renders", "parses"]


async def test_no_slash_is_a_redirect_for_any_method_and_a_wrong_route_is_none(
    client: httpx.AsyncClient,
) -> None:
    assert (await client.post("/api/v4/packages/1599")).headers["location"] == "/api/v4/packages/1599/"
    assert (await client.get("/api/v4/packages/1599/grids")).status_code == 404


@pytest.mark.parametrize("cookie", ["sessionid=x", "a=b; sessionid=x"])
async def test_an_unknown_session_is_deleted(cookie: str, client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v4/packages/1599/", headers={"Cookie": cookie})
    assert answer.headers["set-cookie"].startswith('sessionid="";')


async def test_the_newest_package_has_nulls_and_no_microseconds(client: httpx.AsyncClient) -> None:
    record = (await client.get("/api/v4/packages/django-brand-new/")).json()
    assert record["last_updated"] is record["last_fetched"] is record["pypi_version"] is None
    assert record["documentation_url"] == ""
    assert record["created"] == "2026-02-16T00:30:00-05:00"


async def test_odd_commits_are_served_as_they_are() -> None:
    upstream = generated_upstream(5)
    upstream.catalog.update_package(1599, commits_over_52=None)
    upstream.catalog.update_package(683, commits_over_52=[1, None, 2])
    transport = httpx.ASGITransport(app=upstream)
    async with httpx.AsyncClient(transport=transport, base_url="http://v4") as client:
        assert (await client.get("/api/v4/packages/1599/")).json()["commits_over_52"] is None
        assert (await client.get("/api/v4/packages/683/")).json()["commits_over_52"] == [1, None, 2]


async def test_line_separators_are_escaped_and_other_text_is_not(client: httpx.AsyncClient) -> None:
    assert r"line\u2028separator" in (await client.get("/api/v4/packages/66/")).text
    assert "日本語タイトル" in (await client.get("/api/v4/packages/64/")).text
