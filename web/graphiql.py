"""The page that a browser gets at the endpoint: GraphiQL, with the project's examples as its tabs."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

_ROOT = Path(__file__).parent.parent
CANONICAL = _ROOT / "examples" / "canonical.graphql"
"""The first tab, and the query that the README and the start of the server show."""


@cache
def graphiql_page() -> str:
    """The page as HTML. GraphiQL itself comes from a CDN, pinned by version and by hash."""
    template = (_ROOT / "web" / "graphiql.html").read_text(encoding="utf-8")
    others = sorted(path for path in CANONICAL.parent.glob("*.graphql") if path != CANONICAL)
    queries = [{"query": path.read_text(encoding="utf-8")} for path in (CANONICAL, *others)]
    tabs = msgspec.json.encode(queries).decode()
    # Within a script element only a "<" could end the data early.
    return template.replace("{{tabs}}", tabs.replace("<", "\\u003c"))
