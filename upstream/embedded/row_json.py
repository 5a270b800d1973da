"""Turns a row into v4's JSON: it is encoded once with marks for the parts of links, and filled in for each request.

Hyperlinks depend on the request: its Host, its scheme, a format suffix and `?format=` (contract, sections 2
and 6). So a row is encoded with the byte 0x01 where a link begins and 0x02 where it ends. Valid JSON never
contains these two bytes raw, so filling them in is two replacements whatever the texts say.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from .readable_catalog import ReadableCatalog
from .row_types import GridRow, Kind, PackageRow, Row
from .shifted_dates import NEWEST, moved

_LINK_BEGINS = "\x01"
_LINK_ENDS = "\x02"
# The whole default catalog fits; a catalog of 540,000 does not keep all its JSON as well.
_MAX_KEPT = 100_000

_encoder = msgspec.json.Encoder()


@dataclass(frozen=True)
class Links:
    """Holds the beginning and the end of a request's hyperlinks."""

    base: bytes
    """Scheme and host, such as `http://127.0.0.1:8000`."""
    suffix: bytes = b"/"
    """`/` or `.json`, then `?format=...` when the request had it."""

    def fill(self, template: bytes) -> bytes:
        """Return the template with every link made whole."""
        return template.replace(b"\x01", self.base + b"/api/v4/").replace(b"\x02", self.suffix)

    def to(self, path: str) -> str:
        """Return one link, such as to `packages`."""
        return f"{self.base.decode('latin-1')}/api/v4/{path}{self.suffix.decode()}"


class Templates:
    """Holds the encoded rows, each made when it is first asked for, and again when it was replaced."""

    def __init__(self, catalog: ReadableCatalog) -> None:
        self._catalog = catalog
        self.days = 0
        """The number of days after the first day, of which the rows tell."""
        self._kept: dict[Kind, dict[int, tuple[Row, bytes]]] = {"packages": {}, "grids": {}, "categories": {}}

    def of(self, kind: Kind, row: Row) -> bytes:
        """Return the row's JSON with marks instead of link bases."""
        kept = self._kept[kind].get(row.id)
        if kept is not None and kept[0] is row:
            return kept[1]
        template = _template(moved(row, self.days, self._newest_from()) if self.days else row)
        if len(self._kept[kind]) < _MAX_KEPT:
            self._kept[kind][row.id] = (row, template)
        return template

    def move(self, days: int) -> None:
        """Show the rows as of a day that is this many days after the first."""
        if days != self.days:
            self.days = days
            for kept in self._kept.values():
                kept.clear()

    def _newest_from(self) -> int:
        newest = self._catalog.newest("packages", 0, NEWEST)
        return newest[-1].id if newest else 0

    def page(
        self, kind: Kind, rows: Sequence[Row], count: int, next_link: str | None, previous_link: str | None
    ) -> bytes:
        """Return a page object of these rows, with marks instead of link bases."""
        head = b'{"count":%d,"next":%b,"previous":%b,"results":[' % (
            count,
            compact(next_link),
            compact(previous_link),
        )
        return head + b",".join([self.of(kind, row) for row in rows]) + b"]}"


def compact(value: object) -> bytes:
    """Return JSON as v4 writes it: compact UTF-8, with U+2028 and U+2029 escaped (contract, section 3)."""
    return _escape_separators(_encoder.encode(value))


def indented(body: bytes, spaces: int) -> bytes:
    """Return the same JSON, indented as `Accept: application/json; indent=4` asks."""
    return _escape_separators(json.dumps(json.loads(body), ensure_ascii=False, indent=spaces).encode())


def _template(row: Row) -> bytes:
    match row:
        case PackageRow():
            fields = msgspec.structs.asdict(row)
            fields["category"] = _links("categories", [row.category])[0]
            fields["grids"] = _links("grids", row.grids)
            return compact(fields)
        case GridRow():
            return compact(msgspec.structs.asdict(row) | {"packages": _links("packages", row.packages)})
        case _:
            return compact(row)


def _links(kind: Kind, ids: Iterable[int]) -> list[msgspec.Raw]:
    return [msgspec.Raw(f'"{_LINK_BEGINS}{kind}/{key}{_LINK_ENDS}"'.encode()) for key in ids]


def _escape_separators(encoded: bytes) -> bytes:
    if b"\xe2\x80" not in encoded:
        return encoded
    return encoded.replace(b"\xe2\x80\xa8", rb"\u2028").replace(b"\xe2\x80\xa9", rb"\u2029")
