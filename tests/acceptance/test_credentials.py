"""Tests an upstream that wants a user and a password. They are in its address, are used, and are shown and stored
nowhere."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from settings import WrongSetting, read_settings
from tests.support.command_line import server
from tests.support.http_servers import free_port, serving
from upstream.embedded import EmbeddedUpstream

ROOT = Path(__file__).parent.parent.parent
USER, PASSWORD = "reader", "s3cret of@two:parts/é%"
QUOTED = f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}"
BASIC = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
SECRETS = [
    each.encode() for each in (PASSWORD, QUOTED, "s3cret", quote(PASSWORD, safe=""), BASIC, f"{USER}:")
]


class Guarded:
    """Puts the embedded upstream behind a proxy that asks for a user and a password, by RFC 7617."""

    def __init__(self, status: int = 401) -> None:
        self._app: Callable[..., Awaitable[None]] = EmbeddedUpstream(packages=50)
        self._status = status

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        asked = dict(scope["headers"])
        if asked.pop(b"authorization", b"") == f"Basic {BASIC}".encode():
            # The application behind knows no users, and would refuse the header.
            await self._app({**scope, "headers": list(asked.items())}, receive, send)
            return
        headers = [(b"content-type", b"application/json"), (b"www-authenticate", b'Basic realm="v4"')]
        await send({"type": "http.response.start", "status": self._status, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"detail":"no"}'})


@pytest.fixture
def guarded() -> Iterator[str]:
    """Return the address of the guarded upstream, without the scheme."""
    with serving(Guarded()) as address:
        yield address.removeprefix("http://") + "/api/v4/"


def everything_sent(address: str) -> list[bytes]:
    """Return the head and the body of every kind of answer that the gateway has."""
    queries = [
        "{ package(databaseId: 1599) { title category { title } } catalog { version } }",
        '{ package(slug: "007") { title } }',
        '{ search(text: "celery") { totalCount } }',
        "{ nothing }",
    ]
    page, json = {"Accept": "text/html"}, {"Accept": "application/json"}
    paths = [
        "/",
        "/graphql",
        "/explore",
        "/healthz",
        "/readyz",
        "/metrics",
        "/schema.graphql",
        "/docs/graph.md",
    ]
    sent = []
    with httpx.Client(base_url=address, timeout=30) as client:
        answers = [client.get(path, headers=accept) for path in paths for accept in (page, json)]
        for query in queries:
            receipt = {"X-Gateway-Receipt": "1"}
            answers.append(client.post("/graphql", json={"query": query}, headers=receipt))
        for answer in answers:
            sent.append(b"".join(b"%b: %b\n" % pair for pair in answer.headers.raw) + answer.content)
    return sent


def is_ready(address: str) -> bool:
    try:
        return bool(httpx.get(f"{address}/readyz", timeout=60).json()["catalog"]["packageCount"])
    except httpx.TransportError:
        return False


def test_the_credentials_of_an_upstream_are_used_and_never_shown(guarded: str, tmp_path: Path) -> None:
    port = str(free_port())
    address = f"http://127.0.0.1:{port}"
    environment = {
        "GATEWAY_UPSTREAM": f"http://{QUOTED}@{guarded}",
        "GATEWAY_STORAGE": str(tmp_path / "{upstream}.sqlite"),
    }
    process = subprocess.Popen(
        [sys.executable, "-X", "dev", "server.py", "serve", "--port", port],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        deadline = time.monotonic() + 60
        while not is_ready(address):
            assert process.poll() is None
            assert time.monotonic() < deadline, everything_sent(address)
            time.sleep(0.1)
        seen = everything_sent(address)
    finally:
        process.send_signal(signal.SIGTERM)
        written = process.communicate(timeout=30)[0]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.suffix == ".sqlite" for path in files)
    seen += [written, *(path.read_bytes() for path in files), *(str(path).encode() for path in files)]
    assert f"GraphQL over http://{guarded}\n".encode() in written
    found = [(secret, part[:500]) for part in seen for secret in SECRETS if secret in part]
    assert not found


def test_a_wrong_password_is_a_sentence_without_it(guarded: str) -> None:
    query = "{ categories { title } }"
    done = server("query", query, GATEWAY_UPSTREAM=f"http://reader:s3cret@{guarded}")
    assert '"Upstream refused /categories/ with status 401."' in done.stdout
    assert "GATEWAY_" not in done.stdout
    assert "UPSTREAM_BAD_DATA" in done.stdout
    assert "s3cret" not in done.stdout + done.stderr
    done = server("sync", GATEWAY_UPSTREAM=f"http://reader:s3cret@{guarded}")
    assert done.returncode == 1
    sentence = "with status 401. It wants another user and password than GATEWAY_UPSTREAM has."
    assert sentence in " ".join(done.stderr.split())
    assert "s3cret" not in done.stdout + done.stderr


def test_the_password_of_the_real_application_is_refused_with_403() -> None:
    with serving(Guarded(403)) as address:
        done = server("query", "{ categories { title } }", "--upstream", f"{address}/api/v4/")
    assert '"Upstream refused /categories/ with status 403."' in done.stdout


@pytest.mark.parametrize(
    "wrong",
    [
        "http://reader:s3cret@host:99999/",
        "http://reader:s3/cret@host/",
        "reader:s3cret@host",
        "ftp://a:s3cret@host/",
    ],
)
def test_an_address_that_cannot_be_one_is_told_without_its_password(
    monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    monkeypatch.setenv("GATEWAY_UPSTREAM", wrong)
    with pytest.raises(WrongSetting) as caught:
        read_settings()
    assert "cret" not in str(caught.value)
    assert str(caught.value).startswith('GATEWAY_UPSTREAM is "')
    assert "host" in str(caught.value)


def test_the_settings_print_no_password() -> None:
    settings = read_settings(upstream="http://reader:s3cret@host/api/v4/")
    assert "s3cret" not in f"{settings} {settings!r}"
