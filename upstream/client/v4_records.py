"""Defines the records of the REST API v4, as frozen structs with v4's own field names.

Two things differ from the JSON (contract section 3). A link becomes the id that it names, because hosts,
schemes and suffixes of links vary with the request that asked for them. A list becomes a tuple, so that a
record can be shared between requests and threads.

Decoding ignores unknown keys and is strict about the types of known ones, but for what
``upstream.client.lenient_decoding`` can mend. A record that does not fit is a :class:`BadRecord`, and the rest of its
page is still used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec

from upstream.client.lenient_decoding import field_names, mended

MAX_ID = 2**63 - 1
"""The largest id that upstream's database can hold (contract section 1). It has 19 digits."""

Id = Annotated[int, msgspec.Meta(ge=0, le=MAX_ID)]

UNDECODABLE = (ValueError, OverflowError, RecursionError)
"""What decoding raises for bytes that do not fit: msgspec's own errors and those of bytes that are no UTF-8 are
kinds of ``ValueError``, and arrays that are thousands deep end in a ``RecursionError``."""

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""An instant with its UTC offset; v4 never sends one without (contract section 3)."""


Commits = tuple[Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)], ...]
"""Numbers that GraphQL's Int can hold (spec, 3.5.1)."""


class _PackageFields(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    id: Id
    title: str
    slug: str
    last_updated: Moment | None
    last_fetched: Moment | None
    repo_url: str
    pypi_version: str | None
    created: Moment
    modified: Moment
    repo_forks: int
    repo_description: str
    pypi_url: str
    documentation_url: str | None
    repo_watchers: int
    commits_over_52: Commits | None
    participants: tuple[str, ...]


class PackageRecord(_PackageFields, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Describes a Django package. ``category`` and ``grids`` are ids (contract section 3, table "Package")."""

    category: int
    grids: tuple[int, ...]
    unfit: tuple[str, ...] = ()
    """The fields that are ``None`` because what upstream sent there cannot be taken."""


class _GridFields(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    id: Id
    title: str
    slug: str
    description: str
    is_locked: bool
    header: bool
    created: Moment
    modified: Moment


class GridRecord(_GridFields, frozen=True, kw_only=True, gc=False):
    """Describes a comparison of packages. ``packages`` are ids, in upstream's order (contract section 3)."""

    packages: tuple[int, ...]


class CategoryRecord(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Describes one of the few kinds of package (contract section 3)."""

    id: Id
    title: str
    slug: str
    description: str
    title_plural: str
    show_pypi: bool
    created: Moment
    modified: Moment


class SearchHitRecord(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Describes a row of upstream's search index. It has no id, and can be stale (contract section 4)."""

    description: str
    title: str
    title_no_prefix: str
    slug_no_prefix: str
    clean_title: str
    absolute_url: str
    created: Moment
    modified: Moment
    weight: int
    item_type: Literal["package", "grid"]
    slug: str
    category: str
    repo_watchers: int
    repo_forks: int
    pypi_downloads: int
    score: int
    usage: int
    participants: str
    last_committed: Moment | None
    last_released: Moment | None


Record = PackageRecord | GridRecord | CategoryRecord
R = TypeVar("R", bound=Record)
T = TypeVar("T")


class BadRecord(msgspec.Struct, frozen=True):
    """Stands for a record from upstream that does not fit. ``id`` is None if even that cannot be read."""

    kind: str
    id: int | None
    reason: str

    @property
    def lacks_slug(self) -> bool:
        """Return whether its slug is missing or no text."""
        return self.reason.endswith(("`$.slug`", "field `slug`"))


class Page(msgspec.Struct, Generic[R], frozen=True):
    """Holds a page of a list, newest id first (contract section 2). ``fields`` names the fields of its first record."""

    count: int
    next: str | None
    previous: str | None
    results: tuple[R | BadRecord, ...]
    fields: frozenset[str] = frozenset()

    @property
    def records(self) -> list[R]:
        """Return the records that fit."""
        return [result for result in self.results if not isinstance(result, BadRecord)]


@dataclass(frozen=True)
class Kind(Generic[R]):
    """Describes one of v4's three kinds of record: its names, and how a body becomes a record.

    ``decode`` raises one of :data:`UNDECODABLE` for bytes that are not JSON or do not fit.
    """

    singular: str
    plural: str
    """The path segment of its routes."""
    has_slugs: bool
    """Whether a detail can be asked by slug (contract section 1)."""
    decode: Callable[[bytes | msgspec.Raw], R]

    def decode_page(self, body: bytes) -> Page[R]:
        """Return the page in ``body``. Each of its records is judged alone, and a bad one keeps its place.

        :raises UNDECODABLE: the body is no page.
        """
        page = _page_body.decode(body)
        results = tuple([self._decode_result(raw) for raw in page.results])
        fields = field_names(page.results[0]) if page.results else frozenset()
        return Page(page.count, page.next, page.previous, results, fields)

    def _decode_result(self, raw: msgspec.Raw) -> R | BadRecord:
        try:
            return self.decode(raw)
        except UNDECODABLE as error:
            return BadRecord(kind=self.singular, id=_id_of(raw), reason=str(error))


def id_from_link(link: str) -> int:
    """Return the id that a link names: its last path segment, whatever the host, scheme, suffix or query.

    :raises ValueError: the segment is no number.
    """
    path = link.partition("?")[0].rstrip("/")
    segment = path.rpartition("/")[2].partition(".")[0]
    if not (segment.isascii() and segment.isdecimal() and len(segment) <= 19 and int(segment) <= MAX_ID):
        raise ValueError(f"the link {link!r} does not end in an id")
    return int(segment)


def decode_search(body: bytes) -> tuple[SearchHitRecord | BadRecord, ...]:
    """Return the hits of a search answer, best first. Each is judged alone.

    :raises UNDECODABLE: the body is no array.
    """
    return tuple(_decode_hit(raw) for raw in _search_body.decode(body))


def _decode_hit(raw: msgspec.Raw) -> SearchHitRecord | BadRecord:
    try:
        return _decode(_search_hit, raw)[0]
    except UNDECODABLE as error:
        return BadRecord(kind="search hit", id=None, reason=str(error))


class _PackageBody(_PackageFields, frozen=True, kw_only=True, gc=False):
    category: str
    grids: tuple[str, ...]


class _GridBody(_GridFields, frozen=True, kw_only=True, gc=False):
    packages: tuple[str, ...]


class _PageBody(msgspec.Struct, frozen=True):
    count: Id
    next: str | None
    previous: str | None
    results: list[msgspec.Raw]


class _Identified(msgspec.Struct, frozen=True):
    id: Id


_package_body = msgspec.json.Decoder(_PackageBody)
_grid_body = msgspec.json.Decoder(_GridBody)
_category_body = msgspec.json.Decoder(CategoryRecord)
_page_body = msgspec.json.Decoder(_PageBody)
_search_body = msgspec.json.Decoder(list[msgspec.Raw])
_search_hit = msgspec.json.Decoder(SearchHitRecord)
_identified = msgspec.json.Decoder(_Identified)


_DROPPABLE = {
    "commits_over_52": Commits | None,
    "last_updated": Moment | None,
    "last_fetched": Moment | None,
}
"""The fields of a package that can be null, and that may have odd values."""


def _decode(
    decoder: msgspec.json.Decoder[T], body: bytes | msgspec.Raw, droppable: Mapping[str, Any] | None = None
) -> tuple[T, tuple[str, ...]]:
    """Return what is in the body, and which of its fields are ``None`` because they did not fit."""
    try:
        return decoder.decode(body), ()
    except msgspec.ValidationError:
        values = msgspec.json.decode(body)
        if not isinstance(values, dict):
            raise
    values, unfit = mended(values, droppable or {})
    return msgspec.convert(values, decoder.type), unfit


def _decode_package(body: bytes | msgspec.Raw) -> PackageRecord:
    decoded, unfit = _decode(_package_body, body, _DROPPABLE)
    fields = msgspec.structs.asdict(decoded)
    fields["category"] = _linked(decoded.category, "$.category")
    fields["grids"] = tuple([_linked(link, "$.grids[...]") for link in decoded.grids])
    return PackageRecord(**fields, unfit=unfit)


def _decode_grid(body: bytes | msgspec.Raw) -> GridRecord:
    fields: dict[str, Any] = msgspec.structs.asdict(_decode(_grid_body, body)[0])
    fields["packages"] = tuple(_linked(link, "$.packages[...]") for link in fields["packages"])
    return GridRecord(**fields)


def _decode_category(body: bytes | msgspec.Raw) -> CategoryRecord:
    return _decode(_category_body, body)[0]


def _linked(link: str, path: str) -> int:
    try:
        return id_from_link(link)
    except ValueError as error:
        raise msgspec.ValidationError(f"{error} - at `{path}`") from None


def _id_of(raw: msgspec.Raw) -> int | None:
    try:
        return _identified.decode(raw).id
    except UNDECODABLE:
        return None


PACKAGE: Kind[PackageRecord] = Kind("package", "packages", has_slugs=True, decode=_decode_package)
GRID: Kind[GridRecord] = Kind("grid", "grids", has_slugs=True, decode=_decode_grid)
CATEGORY: Kind[CategoryRecord] = Kind("category", "categories", has_slugs=False, decode=_decode_category)
KINDS: tuple[Kind[Any], ...] = (PACKAGE, GRID, CATEGORY)
