"""Checks what a gateway needs, one part in each function: what is wrong there, and what to do about it."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import aclosing, closing
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import IntEnum
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import httpx

from cli.arguments import API_PATH
from settings import EMBEDDED, Settings

if TYPE_CHECKING:
    from catalog import RefusedCrawl

LOCKED = Path(__file__).parents[1] / "requirements" / "run.txt"
"""The versions with which the gateway is tested."""

OLDEST_PYTHON = (3, 11)

FREE_BYTES = 500_000_000
"""Free space below which the disk of the catalog is nearly full: its history grows by 40 MB a year, and every other
program writes too."""

FURTHEST_CLOCK = 60.0
"""Seconds that this machine's clock and upstream's may differ."""

_LOCKED_VERSION = re.compile(r"^([A-Za-z0-9_.-]+)==([^ ;\\]+)(?P<only_elsewhere> *;)?", re.MULTILINE)


class Severity(IntEnum):
    """Says how bad a finding is, which is also the exit status of the command."""

    OK = 0
    WARNING = 1
    ERROR = 2


class CheckFinding(NamedTuple):
    """Says what a check has found, in one sentence, and in another what to do about it."""

    severity: Severity
    sentence: str
    remedy: str = ""


def check_versions(locked: Path = LOCKED) -> Iterator[CheckFinding]:
    """Compare Python and the dependencies with what the gateway is tested with."""
    if sys.version_info[:2] < OLDEST_PYTHON:
        remedy = "Install Python 3.11 or newer."
        yield CheckFinding(Severity.ERROR, f"Python {platform.python_version()} is too old.", remedy)
    else:
        yield CheckFinding(Severity.OK, f"Python {platform.python_version()} is new enough.")
    others, missing, count = [], [], 0
    for name, version, elsewhere in _LOCKED_VERSION.findall(locked.read_text(encoding="utf-8")):
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            if not elsewhere:
                missing.append(name)
            continue
        count += 1
        if found != version:
            others.append(f"{name} {found} in place of {version}")
    remedy = f"`pip install --require-hashes -r {locked.parent.name}/{locked.name}` installs what is tested."
    if missing:
        yield CheckFinding(Severity.ERROR, f"Dependencies are missing: {', '.join(missing)}.", remedy)
    if others:
        sentence = f"Dependencies have other versions than those tested: {', '.join(others)}."
        yield CheckFinding(Severity.WARNING, sentence, remedy)
    if not missing and not others:
        yield CheckFinding(Severity.OK, f"The {count} dependencies have the versions that are tested.")


def check_settings(settings: Settings) -> Iterator[CheckFinding]:
    """Look for settings that are allowed and seldom meant. A setting that cannot be used stops the command before."""
    from gateway.persisted import WrongManifest, read_manifest
    from wiring import manifest_path

    yield CheckFinding(Severity.OK, "The settings can be used.")
    if settings.upstream != EMBEDDED and not settings.upstream.endswith(API_PATH):
        sentence = (
            f"GATEWAY_UPSTREAM does not end with {API_PATH}, where Django Packages has its REST API v4."
        )
        yield CheckFinding(
            Severity.WARNING, sentence, "Check the address, unless a proxy serves the API there."
        )
    if settings.trusted_documents_mode != "off":
        try:
            read_manifest(manifest_path(settings))
        except WrongManifest as error:
            remedy = "Write the manifest, or set GATEWAY_TRUSTED_DOCUMENTS_MODE to off."
            yield CheckFinding(Severity.ERROR, str(error), remedy)


async def check_upstream(
    settings: Settings, transport: httpx.AsyncBaseTransport | None = None
) -> list[CheckFinding]:
    """Send upstream one small request, and compare the clocks. ``transport`` carries it in place of the network."""
    from setting_groups import client_limits
    from upstream.client import PACKAGE, Client, UpstreamError, network

    if settings.upstream == EMBEDDED:
        return [
            CheckFinding(Severity.OK, "Upstream is embedded: its data are a demo, and no request was sent.")
        ]
    dated = _Dated(transport or network())
    async with aclosing(Client(settings.upstream, dated, client_limits(settings))) as client:
        try:
            page = await client.page(PACKAGE, limit=1, attempts=1)
        except UpstreamError as error:
            remedy = error.remedy or (
                "Check GATEWAY_UPSTREAM, the network and whether the site works in a browser."
            )
            return [CheckFinding(Severity.ERROR, str(error), remedy), *_clock(dated.date)]
    changes = [
        CheckFinding(
            Severity.WARNING, f"Upstream has changed: {each.words}.", "A newer gateway may know this change."
        )
        for each in client.health().drift
    ]
    if not page.records:
        remedy = "Check that GATEWAY_UPSTREAM is the REST API v4 of Django Packages."
        sentence = "Upstream answers, but its newest package is missing or cannot be read."
        return [CheckFinding(Severity.ERROR, sentence, remedy), *changes, *_clock(dated.date)]
    found = CheckFinding(Severity.OK, f"Upstream answers, and has {page.count:,} packages.")
    return [found, *changes, *_clock(dated.date)]


def check_storage(settings: Settings) -> Iterator[CheckFinding]:
    """Look whether the file of the catalog can be used, what is in it, and whether the disk has room."""
    from catalog.storage import Storage
    from sharing import is_valkey
    from storage_wiring import storage_path
    from upstream.client import StorageUnavailable, without_credentials

    if is_valkey(settings.storage):
        yield from _check_server(settings)
        return
    if settings.storage == ":memory:":
        remedy = "Set GATEWAY_STORAGE to a file, so that a restart answers at once."
        yield CheckFinding(Severity.WARNING, "The catalog is not stored.", remedy)
        return
    try:
        path = Path(storage_path(settings))
        if not path.exists() and os.access(path.parent, os.W_OK):
            # It is not made here, because it would belong to whoever runs this command.
            yield CheckFinding(Severity.OK, "No catalog is stored yet; the first crawl stores one.")
            yield from _disk(path)
            return
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise StorageUnavailable(str(path), "it cannot be written by this user")
        with closing(Storage(str(path))) as storage:
            storage.check_upstream(without_credentials(settings.upstream))
            saved, refused = storage.saved(), storage.guard_state().refused
    except StorageUnavailable as error:
        remedy = "Set GATEWAY_STORAGE to a file that the gateway may write, with a catalog of this upstream or none."
        yield CheckFinding(Severity.ERROR, str(error), remedy)
        return
    yield from _stored("file", saved, refused, settings)
    yield from _disk(path)


def _check_server(settings: Settings) -> Iterator[CheckFinding]:
    """Look whether the server that gateways share can be used, and what is stored on it."""
    from storage_wiring import open_storage
    from upstream.client import StorageUnavailable

    try:
        with open_storage(settings) as storage:
            saved, refused = storage.saved(), storage.guard_state().refused
    except StorageUnavailable as error:
        remedy = "Check GATEWAY_STORAGE and the server. Until then each gateway answers alone."
        yield CheckFinding(Severity.ERROR, str(error), remedy)
        return
    yield from _stored("server", saved, refused, settings)


def _stored(
    where: str, saved: tuple[str, datetime] | None, refused: RefusedCrawl | None, settings: Settings
) -> Iterator[CheckFinding]:
    if saved is None:
        yield CheckFinding(Severity.OK, f"The {where} has no catalog yet; the first crawl stores one.")
    else:
        yield _age(saved[1], settings)
    if refused is not None:
        remedy = "If that is right, `python server.py catalog accept` accepts it."
        yield CheckFinding(Severity.WARNING, f"The last crawl is refused. {refused.reason}", remedy)


def check_pages(settings: Settings) -> Iterator[CheckFinding]:
    """Look whether the pages that have to be built are there."""
    from web.pages import explore_app, graphiql

    if settings.trusted_documents_mode != "only":
        if graphiql.is_built():
            yield CheckFinding(Severity.OK, "GraphiQL is built.")
        else:
            sentence = "GraphiQL is not built, so browsers load one from a CDN."
            yield CheckFinding(Severity.WARNING, sentence, "`make graphiql` builds it.")
    if explore_app.is_built():
        yield CheckFinding(Severity.OK, "The app at /explore is built.")
    else:
        yield CheckFinding(Severity.WARNING, "The app at /explore is not built.", "`make explore` builds it.")


def _clock(date: datetime | None) -> Iterator[CheckFinding]:
    """Compare this machine's clock with the date that upstream sent, if it sent one."""
    if date is None:
        return
    seconds = (datetime.now(UTC) - date).total_seconds()
    if abs(seconds) <= FURTHEST_CLOCK:
        yield CheckFinding(Severity.OK, "The clock agrees with upstream's.")
    else:
        sentence = (
            f"The clock differs from upstream's by {seconds:+,.0f} s, so ages and `Retry-After` are wrong."
        )
        yield CheckFinding(Severity.WARNING, sentence, "Set the clock, for example by NTP.")


def _age(refreshed_at: datetime, settings: Settings) -> CheckFinding:
    age = (datetime.now(UTC) - refreshed_at).total_seconds()
    if age < 0:
        sentence = f"The stored catalog is {-age:,.0f} s newer than the clock, so its age is not known."
        return CheckFinding(
            Severity.WARNING, sentence, "Set the clock; after the next crawl the age is right again."
        )
    sentence = f"The stored catalog is {age / 3600:,.1f} hours old"
    remedy = "Read in the gateway's log why crawls fail, or crawl by `python server.py sync`."
    if age > settings.stale_if_error:
        return CheckFinding(Severity.ERROR, f"{sentence}, which is too old to be served.", remedy)
    if age > settings.stale_while_revalidate:
        return CheckFinding(Severity.WARNING, f"{sentence}.", remedy)
    return CheckFinding(Severity.OK, f"{sentence}.")


def _disk(path: Path) -> Iterator[CheckFinding]:
    free = shutil.disk_usage(path.parent).free
    if free < FREE_BYTES:
        sentence = f"The disk of {path.parent} has {free / 1e6:,.0f} MB left."
        yield CheckFinding(Severity.WARNING, sentence, "Make room, or move GATEWAY_STORAGE.")


class _Dated(httpx.AsyncBaseTransport):
    """Carries requests, and remembers the date of the last answer."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self.date: datetime | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and return its answer."""
        response = await self._inner.handle_async_request(request)
        try:
            date = parsedate_to_datetime(response.headers.get("Date", ""))
            self.date = date if date.tzinfo else date.replace(tzinfo=UTC)
        except ValueError:
            self.date = None
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()
