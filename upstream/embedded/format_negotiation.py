"""Decides which form an answer has, by Accept and `format`: Django REST framework's rules (contract, section
6)."""

from dataclasses import dataclass
from typing import Literal

Form = Literal["json", "api"]

# In the server's order of preference; the client's q values are ignored.
_RENDERERS: tuple[tuple[Form, str], ...] = (("json", "application/json"), ("api", "text/html"))
_WIDEST_INDENT = 8


class UnknownFormat(Exception):
    """Says that the wanted format does not exist, which is a 404."""


class NotAcceptable(Exception):
    """Says that no form fits the Accept header, which is a 406."""


@dataclass(frozen=True)
class Negotiated:
    """Holds the form, and how far JSON is indented (0 is compact)."""

    form: Form
    indent: int = 0


def negotiate(accept: str | None, wanted: str | None) -> Negotiated:
    """Choose a form for an Accept header and a `format` (of the suffix, or else of the query)."""
    renderers = [renderer for renderer in _RENDERERS if not wanted or renderer[0] == wanted]
    if not renderers:
        raise UnknownFormat
    ranges = [_media_range(text) for text in (accept if accept is not None else "*/*").split(",")]
    for precedence in (3, 2, 1, 0):
        among = [one for one in ranges if one.precedence == precedence]
        for form, media_type in renderers:
            for one in among:
                if one.matches(media_type):
                    return Negotiated(form, one.indent if form == "json" else 0)
    raise NotAcceptable


@dataclass(frozen=True)
class _MediaRange:
    main: str
    sub: str
    parameters: dict[str, str]

    @property
    def precedence(self) -> int:
        if self.main == "*":
            return 0
        if self.sub == "*":
            return 1
        return 2 if not self.parameters or list(self.parameters) == ["q"] else 3

    @property
    def indent(self) -> int:
        try:
            return max(0, min(int(self.parameters.get("indent", "0")), _WIDEST_INDENT))
        except ValueError:
            return 0

    def matches(self, media_type: str) -> bool:
        main, _, sub = media_type.partition("/")
        return self.main in ("*", main) and self.sub in ("*", sub)


def _media_range(text: str) -> _MediaRange:
    media_type, *parameters = text.split(";")
    main, _, sub = media_type.strip().lower().partition("/")
    pairs = (parameter.partition("=") for parameter in parameters)
    return _MediaRange(main, sub, {name.strip().lower(): value.strip(' "') for name, _, value in pairs})
