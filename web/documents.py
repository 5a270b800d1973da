"""The documents of one gateway: limited, parsed and validated once, and kept."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from sys import getsizeof

from graphql import GraphQLError

from resolvers.errors import TooComplex
from schema import Document, document
from web.limits import Limits, check_document, check_text

KEPT_DOCUMENTS = 1_000
"""How many documents are kept at most: those used last."""

KEPT_BYTES = 32_000_000
"""How much memory they may take together: 1,000 of 50 tokens, or 26 as large as the limits allow."""

BYTES_OF_A_TOKEN = 600
"""What the parser makes of one, measured with graphql-core 3.3: 310 to 610 bytes."""


class Documents:
    """Reads documents and keeps what became of them, within the limits of its gateway."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._kept: OrderedDict[str, tuple[Document, int]] = OrderedDict()
        self._bytes = 0

    def read(self, text: str) -> Document:
        """The document with this text. One beyond a limit has that as its only error and was not validated."""
        kept = self._kept.get(text)
        if kept is not None:
            self._kept.move_to_end(text)
            return kept[0]
        try:
            tokens = check_text(text, self._limits)
        except TooComplex as error:
            # Not kept: it is as large as it likes, and counting it again is cheap.
            return _refused(error)
        try:
            read = document(text, partial(check_document, limits=self._limits))
        except TooComplex as error:
            read = _refused(error)
        self._keep(text, read, tokens)
        return read

    def _keep(self, text: str, read: Document, tokens: int) -> None:
        size = getsizeof(text) + (0 if read.node is None else BYTES_OF_A_TOKEN * tokens)
        self._kept[text] = read, size
        self._bytes += size
        while len(self._kept) > KEPT_DOCUMENTS or self._bytes > KEPT_BYTES:
            _text, (_read, size) = self._kept.popitem(last=False)
            self._bytes -= size


def _refused(error: TooComplex) -> Document:
    # Without the traceback, which would keep all that was looked at.
    return Document(None, (GraphQLError(str(error), original_error=error.with_traceback(None)),), ())
