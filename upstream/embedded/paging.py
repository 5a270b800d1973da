"""Reads limit and offset, and makes the links to the neighbouring pages (contract, section 2)."""

from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

_DEFAULT_LIMIT = 20
_BIGINT = 2**63


class LimitOverflow(Exception):
    """Says that the limit is too large for the database, which is a 500."""


@dataclass(frozen=True)
class RowPage:
    """Holds the part of a list that was asked for."""

    url: str
    query: str
    limit: int
    offset: int
    count: int

    def next(self) -> str | None:
        """Return the link to the next page, null on the last."""
        after = self.offset + self.limit
        return None if after >= self.count else self._link(after)

    def previous(self) -> str | None:
        """Return the link to the previous page, which may overlap this one; null on the first."""
        return None if self.offset <= 0 else self._link(self.offset - self.limit)

    def _link(self, offset: int) -> str:
        # All arguments are kept, sorted by name; an offset of 0 is left out.
        arguments = parse_qs(self.query, keep_blank_values=True)
        arguments["limit"] = [str(self.limit)]
        arguments["offset"] = [str(offset)]
        if offset <= 0:
            del arguments["offset"]
        return f"{self.url}?{urlencode(sorted(arguments.items()), doseq=True)}"


def page_of(url: str, query: str, count: int) -> RowPage:
    """Return the page that a query asks for. A text that is no number silently means the default."""
    arguments = parse_qs(query, keep_blank_values=True)
    limit = _number(arguments, "limit", least=1, default=_DEFAULT_LIMIT)
    offset = _number(arguments, "offset", least=0, default=0)
    # An offset past the end is answered without the query that would overflow.
    if limit >= _BIGINT and 0 < count >= offset:
        raise LimitOverflow
    return RowPage(url, query, limit, offset, count)


def _number(arguments: dict[str, list[str]], name: str, least: int, default: int) -> int:
    # Python's own int(): blanks, signs, underscores and any digits; of two values the last one wins.
    try:
        number = int(arguments[name][-1])
    except (KeyError, ValueError):
        return default
    return number if number >= least else default
