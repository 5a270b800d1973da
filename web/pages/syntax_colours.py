"""Colours code for pages: GraphQL, JSON, and roughly whatever else has words, strings and comments.

``scripts/syntax_colours.js`` does the same for what is edited in a browser.
"""

from __future__ import annotations

import re
from html import escape

_STRING = r'"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"?'
# A string without its end is one too, so that no text makes the search go over a line again and again.
_TOKEN = re.compile(
    r"(?P<comment>#[^\n]*)"
    r'|(?P<name>"(?:\\.|[^"\\\n])*"(?=\s*:)|\b[A-Za-z_]\w*(?=\s*:))'
    rf"|(?P<string>{_STRING}|'(?:\\.|[^'\\\n])*'?)"
    r"|(?P<number>\$\w+|(?<!\w)-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b)"
    r"|(?P<word>@\w+|\b(?:query|mutation|subscription|fragment|on|type|input|enum|interface|union|scalar|extend|schema"
    r"|implements|directive|true|false|null|import|from|const|let|await|async|return|function|export|def|class|for|in"
    r"|if|else|with|as|new)\b)"
)


def coloured(code: str) -> str:
    """Return code as HTML, its parts in spans whose classes are those of ``styles/code.css``."""
    pieces = []
    end = 0
    for token in _TOKEN.finditer(code):
        pieces.append(escape(code[end : token.start()]))
        pieces.append(f'<span class="code-{token.lastgroup}">{escape(token[0])}</span>')
        end = token.end()
    return "".join([*pieces, escape(code[end:])])
