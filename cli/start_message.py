"""Writes what ``serve`` prints when it starts: addresses to open, and something to try."""

from __future__ import annotations

import json

from web.pages.graphiql import CANONICAL, is_built


def greeting(address: str, upstream: str, *, only_trusted: bool) -> str:
    """Return the lines for a gateway at ``address``, such as ``http://127.0.0.1:8000``.

    If only trusted documents run, there is no GraphiQL, and the canonical query may not be one of them.
    """
    lines = [f"GraphQL over {upstream}", f"  the home page            {address}/"]
    if only_trusted:
        return "\n".join([*lines, f"  trusted documents only   {address}/graphql", ""])
    lines.append(f"  GraphiQL, in a browser   {address}/graphql")
    if not is_built():
        lines.append("    a form, then GraphiQL from a CDN; `make graphiql` builds one that needs no network")
    document = CANONICAL.read_text(encoding="utf-8").splitlines()
    query = " ".join(" ".join(line for line in document if not line.startswith("#")).split())
    curl = (
        f"curl -s {address}/graphql -H 'Content-Type: application/json' -d '{json.dumps({'query': query})}'"
    )
    return "\n".join([*lines, "  the canonical query, in a shell:", "", curl, ""])
