"""Limits bytes, which the lexer has to read character by character."""

from __future__ import annotations

from engine import TooComplex


def check_bytes(text: str, most: int) -> None:
    """Check that a document has at most ``most`` bytes in UTF-8.

    :raises TooComplex: it has more.
    """
    # A command line can have characters that UTF-8 lacks. The parser says what is wrong with them.
    size = len(text.encode(errors="surrogatepass"))
    if size > most:
        raise TooComplex(f"The document has {size:,} bytes; {most:,} are allowed.", "bytes", most, size)
