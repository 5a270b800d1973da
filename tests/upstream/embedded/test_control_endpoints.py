"""The control endpoints, for whoever has only HTTP."""

from collections.abc import AsyncIterator

import httpx
import pytest

from upstream.embedded import EmbeddedUpstream

DETAIL = "/api/v4/packages/1599/"


@pytest.fixture
def upstream() -> EmbeddedUpstream:
    return EmbeddedUpstream(packages=50)


@pytest.fixture
async def client(upstream: EmbeddedUpstream) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=upstream)
    async with httpx.AsyncClient(transport=transport, base_url="http://v4") as client:
        yield client


async def test_counts_are_read_and_reset_and_control_is_not_counted(client: httpx.AsyncClient) -> None:
    size = len((await client.get(DETAIL)).content)
    assert (await client.get("/__control__/requests")).json() == {
        "total": 1,
        "bytes": size,
        "max_concurrency": 1,
        "longest_chain": 1,
        "by_target": {DETAIL: 1},
        "listed": [["GET", DETAIL]],
    }
    assert (await client.post("/__control__/reset")).status_code == 204
    assert (await client.get("/__control__/requests")).json()["total"] == 0


@pytest.mark.parametrize(
    ("effect", "status"),
    [
        ({"type": "status", "code": 503, "retry_after": "5"}, 503),
        ({"type": "poisoned", "id": 1599}, 500),
        ({"type": "latency", "seconds": 0.001}, 200),
        ({"type": "content-type"}, 200),
        ({"type": "truncated", "framed": True}, 200),
        ({"type": "bad-field", "id": 1599, "field": "title", "value": None}, 200),
        ({"type": "oversized", "bytes": 5000}, 200),
        ({"type": "nested", "depth": 3}, 200),
        ({"type": "wrong-count", "factor": 0.5}, 200),
        ({"type": "slow", "pause": 0}, 200),
        ({"type": "insert-after-list"}, 200),
        ({"type": "remove-after-list", "id": 683}, 200),
    ],
)
async def test_every_fault_can_be_set_and_cleared(
    effect: dict[str, object], status: int, client: httpx.AsyncClient
) -> None:
    answer = await client.post("/__control__/faults", json={"effect": effect, "path": "/api/v4/packages/"})
    assert answer.status_code == 201
    rules = (await client.get("/__control__/faults")).json()["faults"]
    assert effect.items() <= rules[0]["effect"].items()
    assert (await client.get(DETAIL)).status_code == status
    assert (await client.delete("/__control__/faults")).status_code == 204
    assert (await client.get("/__control__/faults")).json() == {"state": "up", "faults": []}
    assert (await client.get(DETAIL)).status_code == 200


async def test_the_upstream_is_taken_down_and_up(client: httpx.AsyncClient) -> None:
    assert (await client.put("/__control__/state", json={"state": "down"})).json() == {"state": "down"}
    with pytest.raises(ConnectionResetError):
        await client.get(DETAIL)
    await client.put("/__control__/state", json={"state": "maintenance"})
    assert (await client.get(DETAIL)).headers["retry-after"] == "3600"
    await client.put("/__control__/state", json={"state": "up"})
    assert (await client.get(DETAIL)).status_code == 200


async def test_packages_are_inserted_changed_and_removed(client: httpx.AsyncClient) -> None:
    key = (await client.post("/__control__/packages", json={"title": "New", "grids": [15]})).json()["id"]
    assert (await client.get(f"/api/v4/packages/{key}/")).json()["title"] == "New"
    await client.patch(f"/__control__/packages/{key}", json={"title": "Newer"})
    assert (await client.get(f"/api/v4/packages/{key}/")).json()["title"] == "Newer"
    assert (await client.delete(f"/__control__/packages/{key}")).status_code == 204
    assert (await client.get(f"/api/v4/packages/{key}/")).status_code == 404


async def test_the_search_index_is_rebuilt(client: httpx.AsyncClient) -> None:
    await client.patch("/__control__/packages/1599", json={"title": "quetzal"})
    assert (await client.get("/api/v4/search/?q=quetzal")).json() == []
    await client.post("/__control__/reindex")
    assert (await client.get("/api/v4/search/?q=quetzal")).json()[0]["title"] == "quetzal"


@pytest.mark.parametrize(
    ("method", "path", "body", "sentence"),
    [
        ("POST", "faults", "{", "The body is not what is expected here: Input data was truncated."),
        (
            "POST",
            "faults",
            '{"effect": {"type": "flood"}}',
            "The body is not what is expected here: Invalid value 'flood' - at `$.effect.type`.",
        ),
        (
            "POST",
            "faults",
            '{"effect": {"type": "dropped"}, "rate": 7}',
            "The body is not what is expected here: rate is a share from 0 to 1, not 7.0.",
        ),
        (
            "PUT",
            "state",
            '{"state": "asleep"}',
            "The body is not what is expected here: Invalid enum value 'asleep' - at `$.state`.",
        ),
        (
            "POST",
            "packages",
            '{"slug": "django-cacheback"}',
            "The slug 'django-cacheback' is taken in packages.",
        ),
        ("PATCH", "packages/1599", '{"id": 3}', "The id of a package cannot be changed."),
        ("DELETE", "packages/999999", "", "There is no package with the id 999999."),
    ],
)
async def test_bad_input_is_a_400_with_a_sentence(
    method: str, path: str, body: str, sentence: str, client: httpx.AsyncClient
) -> None:
    answer = await client.request(method, f"/__control__/{path}", content=body)
    assert answer.status_code == 400
    assert answer.json() == {"detail": sentence}
