"""The documents of one gateway: limited, parsed and validated once, and kept.

How large an answer may be depends on the catalog, so that this alone is looked at again when there is another.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from sys import getsizeof

from graphql import GraphQLError

from catalog import CatalogSource
from engine import TooComplex, turns
from gateway.document_validation import read_document
from gateway.limits import DocumentLimits, check_document, check_sizes, check_text
from resolvers.lists import USUAL_SIZES, ListSizes, list_sizes
from schema import Document, schema

KEPT_DOCUMENTS = 1_000
"""How many documents are kept at most: those used last."""

KEPT_BYTES = 10_000_000
"""How much memory they may take together: 440 of 50 tokens, or 11 as large as the limits allow. Each token is two to
four objects that the garbage collector looks through in one piece, for about 30 ms with as many as these."""

BYTES_OF_A_TOKEN = 450
"""What the parser makes of one, measured with graphql-core 3.3: 200 to 430 bytes."""


LONG = 500
"""Characters: a document of more may take 20 ms to parse and to validate, one within all limits up to 80."""


@dataclass(frozen=True, slots=True)
class CatalogSizes:
    """Gives the list sizes of the catalog that answers now."""

    source: CatalogSource

    def __call__(self) -> ListSizes:
        """Give those of the present snapshot; the usual ones where there is none."""
        snapshot = self.source.latest
        return USUAL_SIZES if snapshot is None else snapshot.catalog.view(list_sizes)


class DocumentCache:
    """Reads documents and keeps what became of them, within the limits of its gateway."""

    def __init__(self, limits: DocumentLimits, sizes: Callable[[], ListSizes] = lambda: USUAL_SIZES) -> None:
        self._limits = limits
        self._sizes = sizes
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._bytes = 0
        self._reading = asyncio.Lock()

    def read(self, text: str) -> Document:
        """Return the document with this text. One beyond a limit has that as its only error and was not
        validated."""
        sizes = self._sizes()
        kept = self._kept.get(text)
        if kept is not None and (kept.sizes is sizes or self._fits(kept, sizes)):
            self._kept.move_to_end(text)
            return kept.document
        try:
            tokens = check_text(text, self._limits)
        except TooComplex as error:
            # Not kept: it is as large as it likes, and counting it again is cheap.
            return _refused(error)
        read = self._parsed(text, sizes)
        self._keep(text, read, tokens, sizes)
        return read

    def known(self, text: str) -> Document | None:
        """Return the document with this text, if it is kept, as it was read over any catalog."""
        kept = self._kept.get(text)
        return None if kept is None else kept.document

    async def read_aside(self, text: str) -> Document:
        """Return the same while the event loop turns: a document that is not known is read when there is time
        in a turn, a long one in a thread."""
        if text not in self._kept:
            if len(text) > LONG:
                async with self._reading:
                    if text not in self._kept:
                        return await self._read_in_thread(text)
            else:
                await turns().next()
        return self.read(text)

    async def _read_in_thread(self, text: str) -> Document:
        sizes = self._sizes()
        try:
            tokens = check_text(text, self._limits)
            read = await asyncio.to_thread(self._parsed, text, sizes)
        except TooComplex as error:
            return _refused(error)
        self._keep(text, read, tokens, sizes)
        return read

    def _parsed(self, text: str, sizes: ListSizes) -> Document:
        try:
            return read_document(
                text, schema._schema, partial(check_document, limits=self._limits, sizes=sizes)
            )
        except TooComplex as error:
            return _refused(error)

    def _fits(self, kept: _Kept, sizes: ListSizes) -> bool:
        """Return whether what was said of a document over another catalog is so over one with these sizes."""
        node = kept.document.node
        if node is None and any(map(_depends_on_catalog, kept.document.errors)):
            return False
        try:
            if node is not None:
                check_sizes(node, self._limits, sizes)
        except TooComplex:
            return False
        kept.sizes = sizes
        return True

    def _keep(self, text: str, read: Document, tokens: int, sizes: ListSizes) -> None:
        before = self._kept.pop(text, None)
        self._bytes -= before.bytes if before else 0
        size = getsizeof(text) + (0 if read.node is None else BYTES_OF_A_TOKEN * tokens)
        self._kept[text] = _Kept(read, size, sizes)
        self._bytes += size
        while len(self._kept) > KEPT_DOCUMENTS or self._bytes > KEPT_BYTES:
            self._bytes -= self._kept.popitem(last=False)[1].bytes


@dataclass(slots=True)
class _Kept:
    document: Document
    bytes: int
    sizes: ListSizes
    """The version of the catalog for which it was last checked."""


def _depends_on_catalog(error: GraphQLError) -> bool:
    return isinstance(error.original_error, TooComplex) and error.original_error.limit == "values"


def _refused(error: TooComplex) -> Document:
    # Without the traceback, which would keep all that was looked at.
    return Document(None, (GraphQLError(str(error), original_error=error.with_traceback(None)),), ())
