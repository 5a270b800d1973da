"""Answers searches by upstream's own search if it can answer, and otherwise by the full-text index over the catalog.

Upstream knows more (downloads, its own weights), but gives at most 20 hits, without ids, from an index that is rebuilt
only from time to time. So a hit can be of a record that is gone (contract section 4). The catalog answers when upstream
fails or is slow, when the budget for upstream is spent (``upstream.batching.unknown_key_budget``), and when more than
20 results are requested.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Annotated, NamedTuple, TypeAlias

import strawberry

from catalog import Catalog, RecordKey
from catalog.search import LazyFullTextIndex, words_of
from resolvers.client_errors import BadUserInput
from resolvers.lists.list_arguments import After, First
from resolvers.lists.pagination import PageInfo, page_size
from resolvers.loading.request_context import Context, Info
from resolvers.search_connection import SearchAnswerer, SearchConnection, SearchEdge
from resolvers.search_cursors import CatalogPosition, UpstreamPosition, read_cursor, write_cursor
from resolvers.work_budget import EXCHANGE, RESULT, WORD
from upstream.client import PACKAGE, BudgetSpent, GridRecord, PackageRecord, SearchHitRecord, UpstreamError

MAX_HITS = 20
"""The most results that upstream's search gives (contract section 4)."""

MAX_CHARACTERS, MAX_WORDS = 200, 20
"""The most characters and words of a query. Upstream works 8 ms for each word (contract section 4)."""

_SPACES = re.compile(r"\s+", re.ASCII)

SearchQuery = Annotated[
    str,
    strawberry.argument(
        description=(
            "The query: words that must all occur; OR between alternatives; "
            '"a phrase" in quotes; a minus before a word or phrase that must not occur. '
            f"Up to {MAX_CHARACTERS} characters and {MAX_WORDS} words."
        )
    ),
]


_Record: TypeAlias = PackageRecord | GridRecord
_FoundEdge: TypeAlias = SearchEdge[_Record | BaseException, SearchHitRecord]
Found: TypeAlias = SearchConnection[_Record | BaseException, SearchHitRecord]


async def search(info: Info, query: SearchQuery, first: First = None, after: After = None) -> Found:
    """Return the part of the results that is asked for.

    :raises BadUserInput: an argument makes no sense.
    :raises UpstreamError: upstream failed or was not asked, and there is no catalog to answer instead.
    """
    context = info.context
    context.loaders.check_may_wait()
    size = page_size("search", "first", first)
    query = _checked(query)
    position = None if after is None else read_cursor(after, query)
    if not query.strip():
        return _part([], 0, 0, 0, SearchAnswerer.CATALOG, "The query is blank, so there was no search.")
    if context.loaders.as_of is not None:
        if isinstance(position, UpstreamPosition):
            raise BadUserInput(
                "search(after:) is a cursor of upstream's search, which knows only the present; with @asOf, take "
                "cursors from answers with @asOf."
            )
        reason = "The query is answered as of an earlier moment, and upstream knows only the present."
        return await _of_catalog(context, query, size, position, reason)
    if isinstance(position, UpstreamPosition):
        return _of_hits(query, await _results(context, query), size, position)
    if position is not None:
        return await _of_catalog(
            context, query, size, position, "The cursor comes from an answer of the catalog."
        )
    if size > MAX_HITS:
        reason = f"More than {MAX_HITS} results were requested, which is more than upstream gives."
        return await _of_catalog(context, query, size, None, reason)
    if context.loaders.catalog is None:
        return _of_hits(query, await _results(context, query), size, None)
    try:
        async with asyncio.timeout(context.source.search_wait):
            results = await _results(context, query)
    except TimeoutError:
        reason = f"Upstream's search took longer than {context.source.search_wait:g} seconds."
    except BudgetSpent as error:
        reason = str(error)
    except UpstreamError as error:
        reason = f"Upstream's search failed. {error}"
    else:
        return _of_hits(query, results, size, None)
    return await _of_catalog(context, query, size, None, reason)


def _checked(query: str) -> str:
    """Return the query without ASCII spaces at its ends and with one between its words, which do not change the search.

    Other blanks stay as they are, because upstream's search takes a no-break space for a part of a word.

    :raises BadUserInput: it is too long, or cannot be a text.
    """
    if len(query) > MAX_CHARACTERS:
        raise BadUserInput(
            f"search(query:) has {len(query):,} characters; it can have up to {MAX_CHARACTERS}."
        )
    if "\0" in query:
        raise BadUserInput("search(query:) has a NUL character, which is not allowed.")
    try:
        query.encode()
    except UnicodeEncodeError:
        raise BadUserInput("search(query:) has half of a surrogate pair, which is not a character.") from None
    words = len(words_of(query))
    if words > MAX_WORDS:
        raise BadUserInput(f"search(query:) has {words} words; it can have up to {MAX_WORDS}.")
    return _SPACES.sub(" ", query).strip(" ")


# Upstream


class _UpstreamResult(NamedTuple):
    hit: SearchHitRecord
    record: _Record | BaseException


class _UpstreamResults(NamedTuple):
    results: list[_UpstreamResult]
    are_all: bool
    """Whether nothing else matches."""


async def _results(context: Context, query: str) -> _UpstreamResults:
    """Return upstream's hits with their records. Hits without a record are left out.

    :raises UpstreamError: there is no answer.
    """
    context.work.spend(EXCHANGE)
    hits = await context.loaders.search(query)
    # Upstream takes a slug of digits for an id (contract section 1), so the catalog alone can resolve it.
    resolvable = {
        (hit.item_type, hit.slug): hit
        for hit in hits
        if context.loaders.catalog is not None or not hit.slug.isdigit()
    }
    loads = (_load(context, hit) for hit in resolvable.values())
    found = await asyncio.gather(*loads, return_exceptions=True)
    results = [
        _UpstreamResult(hit, record)
        for hit, record in zip(resolvable.values(), found, strict=True)
        if isinstance(record, BaseException) or (record is not None and record.slug == hit.slug)
    ]
    return _UpstreamResults(results, are_all=len(resolvable) == len(hits) < MAX_HITS)


async def _load(context: Context, hit: SearchHitRecord) -> _Record | None:
    if hit.item_type == PACKAGE.singular:
        return await context.loaders.packages.by_slug(hit.slug)
    return await context.loaders.grids.by_slug(hit.slug)


def _of_hits(query: str, answer: _UpstreamResults, size: int, position: UpstreamPosition | None) -> Found:
    results, start = answer.results, 0
    if position is not None:
        named = [(hit.item_type, hit.slug) for hit, _ in results]
        key = (position.item_type, position.slug)
        # If it is gone, the results behind it have moved up.
        start = named.index(key) + 1 if key in named else min(max(position.ahead, 0), len(named))
    edges: list[_FoundEdge] = [
        SearchEdge(
            cursor=write_cursor(query, UpstreamPosition(hit.item_type, hit.slug, ahead)),
            node=record,
            score=None,
            hit=hit,
        )
        for ahead, (hit, record) in enumerate(results[start : start + size], start)
    ]
    reason = "Upstream's search answered."
    total = len(results) if answer.are_all else None
    return _part(edges, start, len(results), total, SearchAnswerer.UPSTREAM, reason)


# Catalog


async def _of_catalog(
    context: Context, query: str, size: int, position: CatalogPosition | None, reason: str
) -> Found:
    """Return a part of the results of the catalog's index."""
    catalog = await context.catalog()
    index = await catalog.view(LazyFullTextIndex).index(catalog)
    context.work.spend(WORD * len(words_of(query)))
    ranking = await asyncio.to_thread(index.search, query)
    context.work.spend(RESULT * len(ranking.rows))
    start = 0
    if position is not None:
        start = ranking.behind(index.row(RecordKey(position.kind, position.id)), position.score)
    end = start + size
    edges = [
        _catalog_edge(query, catalog, index.keys[each], score)
        for each, score in zip(ranking.rows[start:end], ranking.scores[start:end], strict=True)
    ]
    total = len(ranking.rows)
    return _part(edges, start, total, total, SearchAnswerer.CATALOG, reason)


def _catalog_edge(query: str, catalog: Catalog, key: RecordKey, score: float) -> _FoundEdge:
    records: Mapping[int, _Record] = catalog.packages if key.kind == PACKAGE.singular else catalog.grids
    cursor = write_cursor(query, CatalogPosition(key.kind, key.id, score))
    return SearchEdge(cursor=cursor, node=records[key.id], score=score, hit=None)


def _part(
    edges: list[_FoundEdge],
    start: int,
    results: int,
    total_count: int | None,
    answered_by: SearchAnswerer,
    reason: str,
) -> Found:
    info = PageInfo(
        has_next_page=start + len(edges) < results,
        has_previous_page=start > 0,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
    return SearchConnection(
        edges=edges,
        nodes=[edge.node for edge in edges],
        page_info=info,
        total_count=total_count,
        answered_by=answered_by,
        reason=reason,
    )
