"""Provides a port that leads to a server, which a test can change, with TLS where that is wanted and certificates for
it."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.required_programs import need


class Certificates:
    """An authority in ``authority``, and a certificate of it with its key for the name ``localhost``."""

    def __init__(self, folder: Path) -> None:
        need("openssl")
        self.authority, self.certificate = folder / "authority.pem", folder / "certificate.pem"
        self.key, signer = folder / "key.pem", folder / "signer.pem"
        new = ["openssl", "req", "-x509", "-days", "2", "-nodes", "-newkey", "ec"]
        new += ["-pkeyopt", "ec_paramgen_curve:P-256"]
        may_sign = [
            "-addext",
            "basicConstraints=critical,CA:TRUE",
            "-addext",
            "keyUsage=critical,keyCertSign",
        ]
        _run(*new, *may_sign, "-subj", "/CN=authority", "-keyout", signer, "-out", self.authority)
        signed: list[str | Path] = [
            "-CA",
            self.authority,
            "-CAkey",
            signer,
            "-addext",
            "basicConstraints=CA:FALSE",
        ]
        named = ["-addext", "subjectAltName=DNS:localhost", "-subj", "/CN=server"]
        _run(*new, *signed, *named, "-keyout", self.key, "-out", self.certificate)


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


class Forwarding:
    """Passes on what comes to a port of this machine, to whatever other port it is set to at the time."""

    def __init__(self, to: int) -> None:
        self.port = 0
        self.to = to
        self.cut_at: bytes | None = None
        """What somebody has to send so that nothing is passed on from then on."""
        self.is_cut = threading.Event()
        """Set when that was sent. When a test clears it, all that was sent meanwhile is passed on, late."""

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            theirs, ours = await asyncio.open_connection("127.0.0.1", self.to)
        except OSError:
            writer.close()
            return
        await asyncio.gather(self._copy(reader, ours), self._copy(theirs, writer))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError):
                while some := await reader.read(2**16):
                    if self.cut_at is not None and self.cut_at in some:
                        self.cut_at = None
                        self.is_cut.set()
                    while self.is_cut.is_set():  # noqa: ASYNC110 - a test of another thread clears it
                        await asyncio.sleep(0.01)
                    writer.write(some)
                    await writer.drain()
        finally:
            writer.close()


@contextmanager
def forwarding(to: int, certificates: Certificates | None = None) -> Iterator[Forwarding]:
    """Pass on what comes to a port, in a thread; what comes is encrypted if there are certificates."""
    context = None
    if certificates is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.certificate, certificates.key)
    forwards, loop = Forwarding(to), asyncio.new_event_loop()
    # A handshake that the client breaks off is what some tests are about.
    loop.set_exception_handler(lambda *_: None)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    listening = asyncio.start_server(forwards.accept, "127.0.0.1", 0, ssl=context)
    server = asyncio.run_coroutine_threadsafe(listening, loop).result(30)
    forwards.port = server.sockets[0].getsockname()[1]

    async def end() -> None:
        server.close()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    try:
        yield forwards
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()
