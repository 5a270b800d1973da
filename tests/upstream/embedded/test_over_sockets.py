"""Tests what only a real server can show: lost connections, cut bodies, HEAD, chunks."""

import socket
from collections.abc import Iterator
from threading import Thread
from time import sleep

import httpx
import pytest
import uvicorn

from upstream.embedded import Dropped, EmbeddedUpstream, Endless, Fault, Slow, Truncated

DETAIL = "/api/v4/packages/1599/"


@pytest.fixture(scope="module", params=["httptools", "h11"])
def served(request: pytest.FixtureRequest) -> Iterator[tuple[EmbeddedUpstream, str]]:
    upstream = EmbeddedUpstream(packages=50)
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(upstream, http=request.param, ws="none", log_level="error")
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        sleep(0.01)
    yield upstream, f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listening.close()


@pytest.fixture
def upstream(served: tuple[EmbeddedUpstream, str]) -> EmbeddedUpstream:
    upstream, _ = served
    upstream.faults.clear()
    return upstream


@pytest.fixture
def client(served: tuple[EmbeddedUpstream, str]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served[1], trust_env=False, timeout=60) as client:
        yield client


def test_details_lists_and_head_go_over_the_wire(upstream: EmbeddedUpstream, client: httpx.Client) -> None:
    answer = client.get(DETAIL)
    assert answer.json()["id"] == 1599
    head = client.head(DETAIL)
    assert head.headers["content-length"] == str(len(answer.content))
    assert head.content == b""
    assert len(client.get("/api/v4/packages/?limit=100").json()["results"]) == 50


def test_an_invalid_host_is_answered_in_chunks(upstream: EmbeddedUpstream, client: httpx.Client) -> None:
    answer = client.get("/api/v4/", headers={"Host": "bad_host!!"})
    assert answer.status_code == 500
    assert answer.headers["transfer-encoding"] == "chunked"
    assert len(answer.content) == 180


def test_a_dropped_connection_ends_before_any_byte(
    upstream: EmbeddedUpstream, client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    upstream.faults.add(Fault(Dropped(), times=1))
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        client.get(DETAIL)
    assert client.get(DETAIL).status_code == 200
    assert caplog.records == []


def test_an_upstream_that_is_down_drops_every_connection(
    upstream: EmbeddedUpstream, client: httpx.Client
) -> None:
    upstream.faults.state = "down"
    for path in ("/api/v4/", DETAIL):
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            client.get(path)
    assert client.put("/__control__/state", json={"state": "up"}).status_code == 200
    assert client.get(DETAIL).status_code == 200


def test_a_cut_body_has_the_length_of_the_whole_one(
    upstream: EmbeddedUpstream, client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    whole = client.get(DETAIL).content
    upstream.faults.add(Fault(Truncated(0.5), times=1))
    with client.stream("GET", DETAIL) as answer:
        assert answer.headers["content-length"] == str(len(whole))
        pieces = answer.iter_raw()
        part = next(pieces)
        with pytest.raises(httpx.RemoteProtocolError):
            part += b"".join(pieces)
    assert part == whole[: len(whole) // 2]
    assert client.get(DETAIL).content == whole
    assert caplog.records == []


def test_a_slow_body_comes_in_pieces(upstream: EmbeddedUpstream, client: httpx.Client) -> None:
    whole = client.get(DETAIL).content
    upstream.faults.add(Fault(Slow(chunk=200, pause=0.02), times=1))
    with client.stream("GET", DETAIL) as answer:
        pieces = list(answer.iter_raw())
    assert b"".join(pieces) == whole
    assert len(pieces) > 1


def test_an_endless_body_goes_on_until_the_client_leaves(
    upstream: EmbeddedUpstream, client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    whole = client.get(DETAIL).content
    upstream.faults.add(Fault(Endless(), times=1))
    with client.stream("GET", DETAIL) as answer:
        assert "content-length" not in answer.headers
        read = b""
        for piece in answer.iter_raw():
            read += piece
            if len(read) > 1_000_000:
                break
    assert read.startswith(whole)
    assert client.get(DETAIL).content == whole
    assert caplog.records == []


def test_a_request_line_over_4094_bytes_is_refused(upstream: EmbeddedUpstream, client: httpx.Client) -> None:
    fits = "/api/v4/search/?q=" + "a" * (4094 - len("GET /api/v4/search/?q= HTTP/1.1"))
    assert client.get(fits).status_code == 200
    answer = client.get(fits + "a")
    assert answer.status_code == 400
    assert "Request Line is too large (4095 &gt; 4094)" in answer.text
