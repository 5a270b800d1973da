"""The home page, ``/``: what this is and how it does, as a page for people and as JSON for programs.

The page needs no script and nothing else but its icon; its charts are drawn here.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from catalog import CatalogSource, SnapshotStatus, SourceHealth
from web.content_negotiation import accepted
from web.monitoring.health import catalog_status
from web.monitoring.traffic_history import Counts, History, Lately
from web.pages.documentation import doc_titles
from web.pages.graphiql import CANONICAL
from web.pages.svg_charts import Bar, chart

DESCRIPTION = (
    "A GraphQL gateway over Django Packages. One query gets what takes dozens of requests with the REST "
    "API: a package, its grids, and the other packages of those grids."
)
_QUERY = '{ package(slug: "django-celery-email") { title repoWatchers grids { title } } }'
_SUBSCRIPTION = "subscription { catalogChanged { action type slug } }"
_TEMPLATE = Path(__file__).parent / "home.html"
_ANY_QUERY = re.compile(r"<!-- any query -->(.*?)<!-- end -->", re.DOTALL)
_ICON = Path(__file__).parent / "favicon.svg"
_HEADERS = {"Cache-Control": "no-store", "Vary": "Accept", "X-Content-Type-Options": "nosniff"}
_PLACES = {
    "/graphql": "GraphQL, and GraphiQL for a browser",
    "/explore": "Compare the packages of a grid",
    "/schema.graphql": "The schema, in SDL",
    "/readyz": "Readiness: can the gateway answer, and from where?",
    "/metrics": "Metrics for Prometheus",
}


@dataclass(frozen=True, slots=True)
class Home:
    """The home page of a gateway over this source. ``only_trusted`` is whether it runs trusted documents alone."""

    source: CatalogSource
    history: History
    only_trusted: bool

    async def home(self, request: Request) -> Response:
        """Return the page if ``text/html`` is asked for, as browsers do; else JSON."""
        lately = self.history.lately()
        address = f"{request.base_url}graphql"
        if accepted(request.headers.get("Accept")).page:
            template, policy = _page(self.only_trusted)
            page = template.substitute(_words(self.source, lately, address))
            return HTMLResponse(page, headers={**_HEADERS, "Content-Security-Policy": policy})
        facts = _facts(self.source, lately, address)
        if self.only_trusted:
            del facts["try"]
            facts["links"] |= {"/graphql": "GraphQL, for trusted documents only"}
        body = msgspec.json.format(msgspec.json.encode(facts), indent=2)
        return Response(body + b"\n", headers=_HEADERS, media_type="application/json")


async def favicon(_request: Request) -> Response:
    """Return the icon, under the name that browsers ask for unasked; they take an SVG there too."""
    headers = {"Cache-Control": "public, max-age=86400", "X-Content-Type-Options": "nosniff"}
    return FileResponse(_ICON, media_type="image/svg+xml", headers=headers)


@cache
def _page(only_trusted: bool) -> tuple[Template, str]:
    """Return the page, and its policy: nothing but its one style, known by its hash, its icon and its form.

    Where only trusted documents run it invites to no query.
    """
    text = _ANY_QUERY.sub("" if only_trusted else r"\1", _TEMPLATE.read_text(encoding="utf-8"))
    style = text.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    return Template(text), policy


def _facts(source: CatalogSource, lately: Lately, address: str) -> dict[str, Any]:
    counts = lately.sum
    milliseconds = counts.milliseconds
    health = source.health()
    return {
        "description": DESCRIPTION,
        "try": _curl(address, _QUERY),
        "links": _PLACES | {f"/docs/{name}": title for name, title in doc_titles().items()},
        "catalog": catalog_status(health.catalog),
        "upstream": {"state": _upstream(health)[1], "breaker": health.upstream.breaker},
        "lately": {
            "hours": lately.hours,
            "fromMemory": counts.from_memory,
            "fromUpstream": counts.from_upstream,
            "upstreamRequests": counts.requests,
            "upstreamFailures": counts.failures,
            "upstreamMilliseconds": None if milliseconds is None else round(milliseconds, 1),
        },
    }


def _words(source: CatalogSource, lately: Lately, address: str) -> dict[str, str]:
    """Return what is filled into the page, as HTML."""
    now = source.health()
    status = now.catalog
    state, state_words = _state(status)
    answers, answers_top = chart(*_answers(lately))
    upstream, upstream_top = chart(*_latency(lately))
    counts = lately.sum
    answered = counts.from_memory + counts.from_upstream
    none = '<em class="soft">Nothing yet.</em>'
    known = f"Version {status.version}, last confirmed at {_date(status.refreshed_at)}."
    health, health_words = _upstream(now)
    error = now.following.last_error
    failed = f" The last refresh failed: {error}" if error else ""
    numbers = [
        ("packages", "", _number(status.package_count)),
        ("grids", "", _number(status.grid_count)),
        ("categories", "", _number(status.category_count)),
        ("age", "word", "none yet" if status.age_seconds is None else _duration(status.age_seconds)),
        ("Django Packages", f"word {health}", health_words),
    ]
    places = list(_PLACES.items())[2:]
    links = [*[(f"/docs/{name}", title) for name, title in doc_titles().items()], *places]
    return {
        "description": escape(DESCRIPTION),
        "state": state,
        "state_words": state_words,
        "query": escape(CANONICAL.read_text(encoding="utf-8")),
        "curl": escape(_curl(address, _QUERY)),
        "events": escape(_curl(address, _SUBSCRIPTION, "-N", "-H", "Accept: text/event-stream")),
        "numbers": "\n".join(
            f'<div><dt>{name}</dt><dd class="{kind}">{value}</dd></div>' for name, kind, value in numbers
        ),
        "catalog_words": escape(("There is no catalog yet." if status.version is None else known) + failed),
        "span": "The last hour" if lately.hours == 1 else f"The last {lately.hours} hours",
        "ago": "1 hour ago" if lately.hours == 1 else f"{lately.hours} hours ago",
        "answers_chart": answers,
        "answers_top": _number(int(answers_top)),
        "answers_none": "" if answered else none,
        "answers_words": _answers_words(counts),
        "upstream_chart": upstream,
        "upstream_top": _number(int(upstream_top)),
        "upstream_none": "" if counts.requests else none,
        "upstream_words": _upstream_words(counts),
        "links": "\n".join(f'<li><a href="{escape(to)}">{escape(title)}</a></li>' for to, title in links),
    }


def _state(status: SnapshotStatus) -> tuple[str, str]:
    """Return how the gateway answers now: a class of the page, and words."""
    if status.version is None:
        return "warn", "Crawling the catalog; answers live meanwhile" if status.syncing else "Answers live"
    if status.stale:
        return "warn", "Answers from memory, with a stale catalog"
    return "good", "Answers from memory"


def _upstream(health: SourceHealth) -> tuple[str, str]:
    """Return how upstream does: a class of the page, and words."""
    if health.upstream.breaker == "open":
        return "bad", "paused after failures"
    if health.upstream.breaker == "half-open" or health.following.last_error is not None:
        return "warn", "fails"
    if not health.upstream.outcomes:
        return "idle", "no request yet"
    return "good", "answers"


def _answers(lately: Lately) -> tuple[list[Bar], str]:
    bars = [
        Bar(
            f"{time}: {counts.from_memory:,} from memory, {counts.from_upstream:,} needed Django Packages",
            [("memory", counts.from_memory), ("upstream", counts.from_upstream)],
        )
        for time, counts in _timed(lately)
    ]
    return bars, f"Answers, {_each_bar(lately)}. {_answers_words(lately.sum)}"


def _latency(lately: Lately) -> tuple[list[Bar], str]:
    bars = [
        Bar(
            f"{time}: {counts.milliseconds or 0:,.0f} ms, {counts.requests:,} requests, {counts.failures:,} failed",
            [("upstream", counts.milliseconds or 0)],
        )
        for time, counts in _timed(lately)
    ]
    return bars, f"Milliseconds per request, {_each_bar(lately)}. {_upstream_words(lately.sum)}"


def _each_bar(lately: Lately) -> str:
    return "minute by minute" if lately.minutes == 1 else f"{lately.minutes} minutes per bar"


def _timed(lately: Lately) -> list[tuple[str, Counts]]:
    began = int(lately.began)
    step = lately.minutes * 60
    return [
        (datetime.fromtimestamp(began + place * step, UTC).strftime("%H:%M"), counts)
        for place, counts in enumerate(lately.bars)
    ]


def _answers_words(counts: Counts) -> str:
    answered = counts.from_memory + counts.from_upstream
    if not answered:
        return "No requests yet."
    # Rounded down: all of them is not what nearly all is.
    return f"{answered:,} in total, {100 * counts.from_memory // answered}% of them from memory."


def _upstream_words(counts: Counts) -> str:
    if counts.milliseconds is None:
        return "No requests."
    return (
        f"{counts.requests:,} requests, {counts.failures:,} failed; {counts.milliseconds:,.0f} ms on average."
    )


def _curl(address: str, query: str, *options: str) -> str:
    body = msgspec.json.encode({"query": query}).decode()
    return shlex.join(["curl", "-s", *options, address, "-H", "Content-Type: application/json", "-d", body])


def _number(value: int | None) -> str:
    return "&ndash;" if value is None else f"{value:,}"


def _date(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M}"


def _duration(seconds: int) -> str:
    for unit, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 2 * unit:
            return f"{seconds // unit} {name}s"
    return f"{seconds} second{'' if seconds == 1 else 's'}"
