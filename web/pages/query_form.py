"""Writes the form for a query with the answer beside it, which works without script, and better with one."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import msgspec

from web.pages.readable_json import readable

SCRIPT = "/pages/scripts/query_form.js"
"""The script that runs the query in the page, keeps the address in step and copies the link."""

MAX_SHOWN = 20_000
"""The bytes of the longest answer in a page. A longer one would delay other requests, so the script fetches it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Holds the content of the fields as the request had it."""

    query: str
    variables: str = ""
    operation_name: str = ""


def query_form(asked: Asked, answer: str, *, keeps_address: bool) -> str:
    """Return the form as HTML, with ``answer``, which is HTML already.

    ``keeps_address`` is whether the address of the page follows what is in the form.
    """
    opened = " open" if asked.variables or asked.operation_name else ""
    kept = " data-keeps-address" if keeps_address else ""
    return f"""<form class="query-form" action="/graphql" method="get"{kept}>
<div>
<label for="query">Query</label>
<div class="editor"><textarea id="query" name="query" spellcheck="false" autocomplete="off" autocapitalize="off"
rows="{asked.query.count(chr(10)) + 1}">
{escape(asked.query)}</textarea></div>
<details{opened}><summary>Variables and operation name</summary>
<label for="variables">Variables, a JSON object</label>
<div class="editor"><textarea id="variables" name="variables" rows="3" spellcheck="false" autocomplete="off">
{escape(asked.variables)}</textarea></div>
<label for="operation">Operation name, where the query has several operations</label>
<input id="operation" name="operationName" value="{escape(asked.operation_name)}" autocomplete="off">
</details>
<p class="buttons"><button class="first">Run it</button>
<button type="button" class="copy-link" hidden>Copy link</button></p>
</div>
<div class="answer">
<h2 id="answer">Answer</h2>
{answer}
</div>
</form>"""


def answer_html(body: bytes | None) -> str:
    """Return the answer, if there is one, as the HTML beside the form. The script colours it."""
    if body is None:
        words, code = "Run the query: its answer is shown here.", ""
    elif len(body) > MAX_SHOWN:
        words, code = f"The answer has {len(body):,} bytes. Run the query to see it.", ""
    else:
        words, code = "", escape(readable(msgspec.json.decode(body)))
    return (
        '<pre class="wrap" tabindex="0" aria-labelledby="answer"><code>'
        f'{code}</code></pre>\n<p role="status">{words}</p>'
    )
