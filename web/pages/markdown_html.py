"""Renders the project's own documents as HTML: headings with anchors, code in colours, links that work at /docs/."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

from web.pages.syntax_colours import coloured


@dataclass(frozen=True, slots=True)
class Heading:
    """Describes a heading below the title, as the contents of a page list it."""

    level: int
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """Holds a document as HTML, with its title, which is the text of its first heading."""

    title: str
    html: str
    contents: tuple[Heading, ...]


def rendered(markdown: str, address: Callable[[str], str | None]) -> Rendered:
    """Return a document as HTML. ``address`` gives the address at the gateway for what a link says, or None for no
    link.

    HTML in the text stays as it is, because the documents are the project's own.
    """
    parser = MarkdownIt("commonmark").enable("table")
    tokens = parser.parse(markdown)
    headings = list(_headings(tokens))
    _leave_out_empty_headers(tokens)
    for token in tokens:
        _address_links(token.children or (), address)
        if token.attrs.pop("style", "") == "text-align:right":
            # The policy of the pages allows no style in an attribute.
            token.attrSet("class", "amount")
    parser.add_render_rule("fence", _fence)
    parser.add_render_rule("table_open", lambda *_: '<div class="scroll" tabindex="0"><table>\n')
    parser.add_render_rule("table_close", lambda *_: "</table></div>\n")
    html = str(parser.renderer.render(tokens, parser.options, {}))
    title = headings[0].text if headings else ""
    return Rendered(title, html, tuple(each for each in headings[1:] if each.level in (2, 3)))


def links_of(markdown: str) -> list[str]:
    """Return what the links of a document say."""
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
    inner = (child for token in tokens for child in token.children or ())
    return [str(child.attrs["href"]) for child in inner if child.type == "link_open"]


def _headings(tokens: Sequence[Token]) -> list[Heading]:
    """Give the headings their anchors, by which other pages and documents link to them, and return them."""
    found: list[Heading] = []
    taken: dict[str, int] = {}
    for opening, content in pairwise(tokens):
        if opening.type != "heading_open":
            continue
        text = "".join(child.content for child in content.children or ())
        anchor = re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-")
        times = taken.get(anchor, 0)
        taken[anchor] = times + 1
        heading = Heading(int(opening.tag[1]), f"{anchor}-{times}" if times else anchor, text)
        opening.attrSet("id", heading.anchor)
        found.append(heading)
    return found


def _leave_out_empty_headers(tokens: Sequence[Token]) -> None:
    """Make plain cells of the empty headers of tables, for people who use a screen reader."""
    for place, token in enumerate(tokens):
        if token.type == "th_open" and not tokens[place + 1].content:
            token.tag = tokens[place + 2].tag = "td"


def _address_links(children: Sequence[Token], address: Callable[[str], str | None]) -> None:
    opened: list[bool] = []
    for child in children:
        if child.type == "link_open":
            target = address(str(child.attrs["href"]))
            opened.append(target is not None)
            if target is None:
                child.tag = "span"
                child.attrs = {}
            else:
                child.attrSet("href", target)
        elif child.type == "link_close" and not opened.pop():
            child.tag = "span"


def _fence(_renderer: object, tokens: Sequence[Token], index: int, *_: object) -> str:
    code = tokens[index].content
    language = escape(tokens[index].info.strip() or "text")
    pre = f'<pre tabindex="0" data-language="{language}"><code>{coloured(code)}</code></pre>'
    return f'<div class="copied">{pre}</div>\n'
