"""Caches the documents of one gateway, each limited, parsed and validated once.

The size of an answer depends on the catalog, so only that is checked again when there is a new one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from sys import getsizeof
from typing import NamedTuple

from graphql import GraphQLError

from caching import BoundedCache
from catalog import CatalogSource
from engine import TooComplex, turns
from gateway.document_shapes import ShapedText, shaped
from gateway.document_validation import read_document
from gateway.found_document import FoundDocument, LiteralsOfText
from gateway.limits import DocumentLimits, check_bytes, check_document, check_sizes, check_text
from gateway.literal_places import ShapedDocument, shaped_document
from resolvers.lists import USUAL_SIZES, ListSizes, list_sizes
from schema import Document, schema

KEPT_DOCUMENTS = 1_000
"""How many documents are cached at most: those used last."""

KEPT_BYTES = 10_000_000
"""How much memory they may take together: 440 of 50 tokens, or 11 as large as the limits allow. Each token is two to
four objects that the garbage collector looks through in one piece, for about 30 ms with as many as these."""

BYTES_OF_A_TOKEN = 450
"""The memory for what the parser makes of one token, measured with graphql-core 3.3: 200 to 430 bytes."""


LONG = 500
"""Characters: a longer document may take 20 ms to parse and to validate, and within all limits up to 80."""


@dataclass(frozen=True, slots=True)
class CatalogSizes:
    """Gives the list sizes of the catalog that answers now."""

    source: CatalogSource

    def __call__(self) -> ListSizes:
        """Return those of the present snapshot, or the usual ones if there is none."""
        snapshot = self.source.latest
        return USUAL_SIZES if snapshot is None else snapshot.catalog.view(list_sizes)


class DocumentCache:
    """Reads documents within the limits of its gateway, and caches the outcome.

    A document that is good for all texts of its shape is cached by the shape, others by their text.
    """

    def __init__(self, limits: DocumentLimits, sizes: Callable[[], ListSizes] = lambda: USUAL_SIZES) -> None:
        self._limits = limits
        self._sizes = sizes
        self._kept: BoundedCache[str | _Shape, _Kept] = BoundedCache(entries=KEPT_DOCUMENTS, size=KEPT_BYTES)
        self._reading = asyncio.Lock()

    def read(self, text: str) -> Document:
        """Return the document with this text. A document beyond a limit has that as its only error, and was not
        validated."""
        found = self._find(text, None) or self._read(text, None)
        return found.document

    def known(self, text: str) -> Document | None:
        """Return the document with this text, if it is cached by the text, as it was read over any catalog."""
        kept = self._kept.peek(text)
        return None if kept is None else kept.document

    async def read_aside(self, text: str) -> Document:
        """Return the same as :meth:`read` while the event loop turns: a document that is not known is read when there
        is time in a turn, a long one in a thread."""
        found = self._find(text, None) or await self._read_aside(text, None)
        return found.document

    async def find_aside(self, text: str) -> FoundDocument:
        """Return the same for a request that is to run: if it can, the document for all texts of this shape."""
        found = self._find(text, None)
        if found is not None:
            return found
        shape = self._shape(text)
        return self._find(text, shape) or await self._read_aside(text, shape)

    def _shape(self, text: str) -> ShapedText | None:
        try:
            check_bytes(text, self._limits.bytes)
        except TooComplex:
            return None
        return shaped(text)

    def _find(self, text: str, shape: ShapedText | None) -> FoundDocument | None:
        """Return what is kept by a text, or by its shape if its literals fit."""
        kept = self._take(text)
        if kept is not None:
            return FoundDocument(kept.document, text)
        kept = None if shape is None else self._take(_Shape(shape.shape))
        if shape is None or kept is None or kept.shaped is None:
            return None
        values = kept.shaped.bound(shape.literals)
        if values is None:
            return None
        literals = LiteralsOfText(values, shape.ends)
        return FoundDocument(kept.document, shape.shape, literals)

    def _take(self, key: str | _Shape) -> _Kept | None:
        kept = self._kept.peek(key)
        if kept is None:
            return None
        sizes = self._sizes()
        if kept.sizes is not sizes and not self._fits(kept, sizes):
            return None
        return self._kept.get(key)

    async def _read_aside(self, text: str, shape: ShapedText | None) -> FoundDocument:
        if len(text) <= LONG:
            await turns().next()
            return self._find(text, shape) or self._read(text, shape)
        async with self._reading:
            found = self._find(text, shape)
            if found is not None:
                return found
            sizes = self._sizes()
            try:
                tokens = check_text(text, self._limits)
            except TooComplex as error:
                return FoundDocument(_refused(error), text)
            read = await asyncio.to_thread(self._parsed, text, sizes, shape)
            return self._keep(text, shape, tokens, sizes, *read)

    def _read(self, text: str, shape: ShapedText | None) -> FoundDocument:
        sizes = self._sizes()
        try:
            tokens = check_text(text, self._limits)
        except TooComplex as error:
            # Not kept: it is as large as it likes, and counting it again is cheap.
            return FoundDocument(_refused(error), text)
        return self._keep(text, shape, tokens, sizes, *self._parsed(text, sizes, shape))

    def _parsed(
        self, text: str, sizes: ListSizes, shape: ShapedText | None
    ) -> tuple[Document, ShapedDocument | None]:
        try:
            read = read_document(
                text, schema._schema, partial(check_document, limits=self._limits, sizes=sizes)
            )
        except TooComplex as error:
            return _refused(error), None
        if shape is None or read.node is None or read.errors or read.in_parts is not None:
            return read, None
        for_all = shaped_document(read.node, shape, schema._schema)
        try:
            if for_all is not None:
                # Pages may be of any size in other texts, and count as long as they can be.
                check_sizes(for_all.node, self._limits, sizes)
        except TooComplex:
            return read, None
        return read, for_all

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

    def _keep(
        self,
        text: str,
        shape: ShapedText | None,
        tokens: int,
        sizes: ListSizes,
        read: Document,
        for_all: ShapedDocument | None,
    ) -> FoundDocument:
        found = FoundDocument(read, text)
        values = None if shape is None or for_all is None else for_all.bound(shape.literals)
        if shape is not None and for_all is not None and values is not None:
            literals = LiteralsOfText(values, shape.ends, whole=read)
            found = FoundDocument(replace(read, node=for_all.node), shape.shape, literals)
        key = found.text if found.literals is None else _Shape(found.text)
        size = getsizeof(found.text) + (0 if read.node is None else BYTES_OF_A_TOKEN * tokens)
        self._kept.put(key, _Kept(found.document, sizes, for_all), size)
        return found


class _Shape(NamedTuple):
    """A key that no text is equal to, not even one that is written like a shape."""

    shape: str


@dataclass(slots=True)
class _Kept:
    document: Document
    sizes: ListSizes
    """The version of the catalog for which it was last checked."""
    shaped: ShapedDocument | None = None
    """What it is for all texts of its shape, if it is kept by that."""


def _depends_on_catalog(error: GraphQLError) -> bool:
    return isinstance(error.original_error, TooComplex) and error.original_error.limit == "values"


def _refused(error: TooComplex) -> Document:
    # Without the traceback, which would keep all that was looked at.
    return Document(None, (GraphQLError(str(error), original_error=error.with_traceback(None)),), ())
