"""Provides what can go wrong with an upstream that still answers in perfect form, and an upstream that has one of these
faults.

Each corruption makes another upstream of a good one. Those of the rows stay consistent, as a database does; those of
the answers change what the good one sends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

import msgspec

from tests.support.crawls import App
from upstream.embedded import EmbeddedCatalog, EmbeddedUpstream, PackageRow

Corruption = Callable[[EmbeddedUpstream], App]


class Corruptible:
    """The embedded upstream, until it is corrupt. ``now`` is what answers at present."""

    def __init__(self, embedded: EmbeddedUpstream) -> None:
        self.good = embedded
        self.now: App = embedded
        self._left: int | None = None
        self._next: App | None = None

    async def __call__(self, *exchange: Any) -> None:
        if self._left == 0 and self._next is not None:
            self.now, self._left = self._next, None
        elif self._left is not None:
            self._left -= 1
        await self.now(*exchange)

    def corrupt(self, corruption: Corruption, *, after: int = 0) -> None:
        """Corrupt it when so many more requests have come."""
        self._next, self._left = corruption(self.good), after

    def recover(self) -> None:
        self.now, self._left = self.good, None


def copy_of(rows: EmbeddedCatalog) -> EmbeddedCatalog:
    return EmbeddedCatalog(rows.packages.values(), rows.grids.values(), rows.categories.values())


# Corruptions of the rows


def empty(embedded: EmbeddedUpstream) -> App:
    return EmbeddedUpstream(catalog=EmbeddedCatalog())


def gone(share: float) -> Corruption:
    """Let this share of the packages be gone, evenly over the list."""

    def corrupt(embedded: EmbeddedUpstream) -> App:
        rows = copy_of(embedded.catalog)
        for place, id in enumerate(sorted(rows.packages)):
            if int((place + 1) * share) > int(place * share):
                rows.remove_package(id)
        return EmbeddedUpstream(catalog=rows)

    return corrupt


def without_stars(embedded: EmbeddedUpstream) -> App:
    return _with_packages(embedded, lambda row: {"repo_watchers": 0})


def without_descriptions(embedded: EmbeddedUpstream) -> App:
    return _with_packages(embedded, lambda row: {"repo_description": ""})


def in_one_category(embedded: EmbeddedUpstream) -> App:
    return _with_packages(embedded, lambda row: {"category": 1})


def with_empty_grids(embedded: EmbeddedUpstream) -> App:
    rows = copy_of(embedded.catalog)
    for id in rows.grids:
        rows.update_grid(id, packages=())
    return EmbeddedUpstream(catalog=rows)


def renumbered(new_id: Callable[[int, EmbeddedCatalog], int]) -> Corruption:
    """Give each package another id."""

    def corrupt(embedded: EmbeddedUpstream) -> App:
        rows = embedded.catalog
        packages = [msgspec.structs.replace(row, id=new_id(row.id, rows)) for row in rows.packages.values()]
        grids = [
            msgspec.structs.replace(row, packages=tuple(new_id(id, rows) for id in row.packages))
            for row in rows.grids.values()
        ]
        return EmbeddedUpstream(catalog=EmbeddedCatalog(packages, grids, rows.categories.values()))

    return corrupt


def added_to(id: int, rows: EmbeddedCatalog) -> int:
    return id + 100_000


def turned(id: int, rows: EmbeddedCatalog) -> int:
    """Return the ids that exist, in the opposite order."""
    ids = sorted(rows.packages)
    return ids[len(ids) - 1 - ids.index(id)]


# Corruptions of the answers


class Rewritten:
    """An upstream whose lists and details are rewritten on their way."""

    def __init__(
        self, upstream: App, rewrite: Callable[[str, Mapping[str, str], dict[str, Any]], dict[str, Any]]
    ) -> None:
        self._upstream = upstream
        self._rewrite = rewrite

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        query = {name: values[-1] for name, values in parse_qs(scope["query_string"].decode()).items()}
        start: list[Any] = []

        async def rewriting(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                start.append(message)
                return
            body = message["body"]
            if start and start[0]["status"] == 200 and body.startswith(b"{"):
                body = msgspec.json.encode(self._rewrite(scope["path"], query, msgspec.json.decode(body)))
                headers = [each for each in start[0]["headers"] if each[0] != b"content-length"]
                start[0]["headers"] = [*headers, (b"content-length", str(len(body)).encode())]
            await send(start.pop())
            await send(message | {"body": body})

        await self._upstream(scope, receive, rewriting)


def with_bad_slugs(embedded: EmbeddedUpstream) -> App:
    """Let a tenth of the slugs be null, and another tenth all the same."""

    def rewrite(path: str, query: Mapping[str, str], body: dict[str, Any]) -> dict[str, Any]:
        for record in body.get("results", [body]):
            if "repo_url" in record and record["id"] % 10 < 2:
                record["slug"] = "django" if record["id"] % 10 else None
        return body

    return Rewritten(embedded, rewrite)


def with_false_counts(factor: float) -> Corruption:
    def rewrite(path: str, query: Mapping[str, str], body: dict[str, Any]) -> dict[str, Any]:
        return body | {"count": int(body["count"] * factor)} if "results" in body else body

    return lambda embedded: Rewritten(embedded, rewrite)


def without_last_page(embedded: EmbeddedUpstream) -> App:
    """Let the page that ends the packages have no rows."""

    def rewrite(path: str, query: Mapping[str, str], body: dict[str, Any]) -> dict[str, Any]:
        is_last = body.get("next", "") is None and int(query.get("offset", 0)) > 0
        return body | {"results": []} if is_last and path.endswith("/packages/") else body

    return Rewritten(embedded, rewrite)


def of_two_moments(embedded: EmbeddedUpstream) -> App:
    """Let the packages be those of a moment when a fifth of them had gone, and the grids those of before."""
    later = gone(0.2)(embedded)

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await (later if "/packages/" in scope["path"] else embedded)(scope, receive, send)

    return answer


CORRUPTIONS: dict[str, Corruption] = {
    "empty lists": empty,
    "30 % gone": gone(0.3),
    "90 % gone": gone(0.9),
    "null and duplicate slugs": with_bad_slugs,
    "stars zeroed": without_stars,
    "descriptions emptied": without_descriptions,
    "all in one category": in_one_category,
    "grids emptied": with_empty_grids,
    "counts that are too high": with_false_counts(2),
    "counts that are too low": with_false_counts(1 / 3),
    "ids renumbered": renumbered(added_to),
    "ids turned": renumbered(turned),
    "last page missing": without_last_page,
    "lists of two moments": of_two_moments,
}

SEEN_COLD = {
    "empty lists",
    "null and duplicate slugs",
    "counts that are too high",
    "counts that are too low",
    "last page missing",
    "lists of two moments",
}
"""The corruptions that a crawl shows by itself. The others could be how upstream is."""


def _with_packages(embedded: EmbeddedUpstream, fields: Callable[[PackageRow], dict[str, Any]]) -> App:
    rows = copy_of(embedded.catalog)
    for id, row in list(rows.packages.items()):
        rows.update_package(id, **fields(row))
    return EmbeddedUpstream(catalog=rows)
