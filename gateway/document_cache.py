"""Caches the documents of one gateway, each limited, parsed and validated once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from sys import getsizeof
from typing import NamedTuple

from graphql import GraphQLError
from msgspec import structs

from caching import BoundedCache
from engine import TooComplex, turns
from gateway.cost import CostPredictor, cost_predictors
from gateway.document_shapes import ShapedText, shaped
from gateway.document_validation import read_document
from gateway.extracted_literals_cache import ExtractedLiterals
from gateway.limits import DocumentLimits, check_bytes, check_document, check_text
from gateway.literal_variables import ShapedDocument, shaped_document
from gateway.request_document import LiteralsOfText, RequestDocument
from schema import Document, schema

CACHED_DOCUMENTS = 1_000
"""How many documents are cached at most: those used last."""

CACHED_BYTES = 10_000_000
"""How much memory they may take together: 360 of 50 tokens, or 11 as large as the limits allow. Each token is one or
two objects that the garbage collector looks through in one piece, for about 15 ms with as many as these."""

BYTES_OF_A_TOKEN = 450
"""The memory for what the parser makes of one token, measured with graphql-core 3.3: 200 to 430 bytes."""


LONG = 500
"""Characters: a longer document may take 20 ms to parse and to validate, and within all limits up to 80."""


class DocumentCache:
    """Reads documents within the limits of its gateway, and caches the outcome.

    A document that is good for all texts of its shape is cached by the shape, others by their text.
    """

    def __init__(self, limits: DocumentLimits) -> None:
        self._limits = limits
        self._cached: BoundedCache[str | _Shape, _CachedDocument] = BoundedCache(
            entries=CACHED_DOCUMENTS, size=CACHED_BYTES
        )
        self.repeated = ExtractedLiterals()
        self._reading = asyncio.Lock()

    def read(self, text: str) -> Document:
        """Return the document with this text. A document beyond a limit has that as its only error, and was not
        validated."""
        found = self._find_by_text(text) or self._read(text, None)
        return found.document

    def known(self, text: str) -> Document | None:
        """Return the document with this text, if it is cached by the text."""
        cached = self._cached.peek(text)
        return None if cached is None else cached.document

    async def read_aside(self, text: str) -> Document:
        """Return the same as :meth:`read` while the event loop turns: a document that is not known is read when there
        is time in a turn, a long one in a thread."""
        found = self._find_by_text(text) or await self._read_aside(text, None)
        return found.document

    async def find_aside(
        self,
        text: str,
        before_reading: Callable[[int], Awaitable[None]] | None = None,
        turn: AbstractAsyncContextManager[object] | None = None,
    ) -> RequestDocument:
        """Return the document for a request that is to run: for all texts of its shape, if there is one.

        A document that is not known is read in the ``turn``, unless the request has one already. There
        ``before_reading`` is called with its length first, and may prevent that it is read.
        """
        found = self.find_known(text)
        if found is not None:
            return found
        async with turn or nullcontext():
            # It may have been read meanwhile.
            shape = self._shape(text)
            found = self._find(text, shape)
            if found is None:
                if before_reading is not None:
                    await before_reading(len(text))
                found = await self._read_aside(text, shape)
        return found if turn is None else structs.replace(found, has_waited=True)

    def find_known(self, text: str) -> RequestDocument | None:
        """Return the same if it is cached, by the text or by its shape."""
        found = self._find_by_text(text) or self._find_again(text)
        if found is None:
            found = self._find_by_shape(self._shape(text))
            if found is not None and found.literals is not None:
                self.repeated.came(text, found.text, found.literals)
        return found

    def _find_again(self, text: str) -> RequestDocument | None:
        """Return what is cached by the shape of a text that came before."""
        known = self.repeated.find(text)
        cached = None if known is None else self._cached.get(_Shape(known.shape))
        if known is None or cached is None:
            return None
        return RequestDocument(cached.document, known.shape, cached.formulas, known.literals)

    def _shape(self, text: str) -> ShapedText | None:
        try:
            check_bytes(text, self._limits.bytes)
        except TooComplex:
            return None
        return shaped(text)

    def _find(self, text: str, shape: ShapedText | None) -> RequestDocument | None:
        """Return what is cached by a text, or by its shape if its literals fit."""
        return self._find_by_text(text) or self._find_by_shape(shape)

    def _find_by_text(self, text: str) -> RequestDocument | None:
        cached = self._cached.get(text)
        return None if cached is None else RequestDocument(cached.document, text, cached.formulas)

    def _find_by_shape(self, shape: ShapedText | None) -> RequestDocument | None:
        cached = None if shape is None else self._cached.get(_Shape(shape.shape))
        if shape is None or cached is None or cached.shaped is None:
            return None
        values = cached.shaped.bound(shape.literals)
        if values is None:
            return None
        literals = LiteralsOfText(values, shape.ends)
        return RequestDocument(cached.document, shape.shape, cached.formulas, literals)

    async def _read_aside(self, text: str, shape: ShapedText | None) -> RequestDocument:
        if len(text) <= LONG:
            await turns().next()
            return self._find(text, shape) or self._read(text, shape)
        async with self._reading:
            found = self._find(text, shape)
            if found is not None:
                return found
            try:
                tokens = check_text(text, self._limits)
            except TooComplex as error:
                return RequestDocument(_refused(error), text, {})
            read = await asyncio.to_thread(self._parsed, text, shape)
            return self._keep(text, shape, tokens, read)

    def _read(self, text: str, shape: ShapedText | None) -> RequestDocument:
        try:
            tokens = check_text(text, self._limits)
        except TooComplex as error:
            # It is not cached, because it may have any size, and counting it again is cheap.
            return RequestDocument(_refused(error), text, {})
        return self._keep(text, shape, tokens, self._parsed(text, shape))

    def _parsed(self, text: str, shape: ShapedText | None) -> _CachedDocument:
        try:
            read = read_document(text, schema._schema, partial(check_document, limits=self._limits))
        except TooComplex as error:
            return _CachedDocument(_refused(error), {})
        if read.node is None or read.errors:
            return _CachedDocument(read, {})
        if shape is not None and read.in_parts is None:
            for_all = shaped_document(read.node, shape, schema._schema)
            if for_all is not None:
                return _CachedDocument(read, cost_predictors(for_all.node), for_all)
        return _CachedDocument(read, cost_predictors(read.node))

    def _keep(
        self, text: str, shape: ShapedText | None, tokens: int, read: _CachedDocument
    ) -> RequestDocument:
        document, for_all = read.document, read.shaped
        found = RequestDocument(document, text, read.formulas)
        values = None if shape is None or for_all is None else for_all.bound(shape.literals)
        if shape is not None and for_all is not None and values is not None:
            literals = LiteralsOfText(values, shape.ends, whole=document)
            found = RequestDocument(
                replace(document, node=for_all.node), shape.shape, read.formulas, literals
            )
        key = found.text if found.literals is None else _Shape(found.text)
        size = getsizeof(found.text) + (0 if document.node is None else BYTES_OF_A_TOKEN * tokens)
        size += sum([each.memory for each in set(read.formulas.values())])
        self._cached.put(key, _CachedDocument(found.document, read.formulas, for_all), size)
        return found


class _Shape(NamedTuple):
    """Identifies a shape by a key that no text equals, not even a text that is written like a shape."""

    shape: str


@dataclass(frozen=True, slots=True)
class _CachedDocument:
    document: Document
    formulas: Mapping[str | None, CostPredictor]
    """The costs of its operations by their names."""
    shaped: ShapedDocument | None = None
    """The document for all texts of its shape, if it is cached by its shape."""


def _refused(error: TooComplex) -> Document:
    # The traceback is removed, because it would hold everything that was looked at.
    return Document(None, (GraphQLError(str(error), original_error=error.with_traceback(None)),), ())
