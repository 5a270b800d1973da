"""Serves the home page, ``/``: a description of the gateway and its state, as HTML for people and as JSON for programs.

The page works without script; its charts are drawn here.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from catalog import CatalogSource, SnapshotStatus, SourceHealth
from web.content_negotiation import accepted
from web.monitoring.health import catalog_status, refused_crawl
from web.monitoring.traffic_history import History, Lately
from web.pages.browse_lists import all_grids_address, grids_html, packages_html
from web.pages.documentation import doc_titles
from web.pages.explore_app import is_built
from web.pages.graphiql import CANONICAL
from web.pages.page_frame import POLICY, FramedPage, Site, framed, page_response
from web.pages.query_form import SCRIPT, Asked, answer_html, query_form
from web.pages.svg_charts import chart
from web.pages.traffic_charts import answers_by_time, answers_words, latency, upstream_words

DESCRIPTION = (
    "A GraphQL gateway over Django Packages. One query gets what takes dozens of requests with the REST "
    "API: a package, its grids, and the other packages of those grids."
)
MAX_DRIFT_SHOWN = 5
"""The fields that the page describes. The JSON has all fields."""

_QUERY = '{ package(slug: "django-celery-email") { title repoWatchers grids { title } } }'
_SUBSCRIPTION = "subscription { catalogChanged { action type slug } }"
_TEMPLATE = Path(__file__).parent / "home.html"
_ANY_QUERY = re.compile(r"<!-- any query -->(.*?)<!-- end -->", re.DOTALL)
_ICON = Path(__file__).parent / "favicon.svg"
_HEADERS = {"Cache-Control": "no-store", "Vary": "Accept"}
_FOOTER = (
    '<p>Times are UTC. The counts are those of the process that sent this page; <a href="/metrics">/metrics</a> has '
    "them for Prometheus. <code>curl</code> gets this page as JSON.</p>"
)
_PLACES = {
    "/graphql": "GraphQL, and GraphiQL for a browser",
    "/explore/": "Compare the packages of a grid",
    "/schema.graphql": "The schema, in SDL",
    "/readyz": "Readiness: can the gateway answer, and from where?",
    "/metrics": "Metrics for Prometheus",
}


@dataclass(frozen=True, slots=True)
class Home:
    """Serves the home page of a gateway over this source."""

    source: CatalogSource
    history: History
    site: Site

    async def home(self, request: Request) -> Response:
        """Return the page if ``text/html`` is asked for, as browsers do; else JSON."""
        lately = self.history.lately()
        address = f"{request.base_url}graphql"
        if accepted(request.headers.get("Accept")).page:
            main = _template(self.site.only_trusted).substitute(_words(self.source, lately, address))
            page = FramedPage(
                title="Django Packages, as a graph",
                description=DESCRIPTION,
                main=main,
                kind="home",
                styles=("home", "query_form"),
                scripts=() if self.site.only_trusted else (SCRIPT,),
                footer=_FOOTER,
            )
            return page_response(
                framed(page, self.site), request, _HEADERS | {"Content-Security-Policy": POLICY}
            )
        facts = _facts(self.source, lately, address)
        if self.site.has_files:
            facts["links"] |= {"/catalog": "The whole catalog, as files"}
        if self.site.only_trusted:
            del facts["try"]
            facts["links"] |= {"/graphql": "GraphQL, for trusted documents only"}
        body = msgspec.json.format(msgspec.json.encode(facts), indent=2)
        return Response(body + b"\n", headers=_HEADERS, media_type="application/json")


async def favicon(_request: Request) -> Response:
    """Return the icon, under the name that browsers request by default. They accept an SVG there too."""
    headers = {"Cache-Control": "public, max-age=86400"}
    return FileResponse(_ICON, media_type="image/svg+xml", headers=headers)


@cache
def _template(only_trusted: bool) -> Template:
    """Return the main part of the page. It has no query where only trusted documents run."""
    text = _TEMPLATE.read_text(encoding="utf-8")
    return Template(_ANY_QUERY.sub("" if only_trusted else r"\1", text))


def _facts(source: CatalogSource, lately: Lately, address: str) -> dict[str, Any]:
    counts = lately.sum
    milliseconds = counts.milliseconds
    health = source.health()
    refused = health.following.refused
    return {
        "description": DESCRIPTION,
        "try": _curl(address, _QUERY),
        "links": _PLACES | {f"/docs/{name}": title for name, title in doc_titles().items()},
        "catalog": catalog_status(health.catalog) | {"source": "demo" if source.embedded else "site"},
        "refused": None if refused is None else refused_crawl(refused),
        "upstream": {"state": _upstream(health)[1], "breaker": health.upstream.breaker},
        "drift": health.upstream.drift,
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
    answers, answers_top = chart(*answers_by_time(lately))
    upstream, upstream_top = chart(*latency(lately))
    counts = lately.sum
    answered = counts.from_memory + counts.from_upstream
    none = '<em class="soft">Nothing yet.</em>'
    health, health_words = _upstream(now)
    error = now.following.last_error
    refused = now.following.refused
    if refused is not None:
        failed = f" The crawl that ended at {_date(refused.at)} was refused: {refused.reason}"
    else:
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
        "form": query_form(
            Asked(CANONICAL.read_text(encoding="utf-8")), answer_html(None), keeps_address=False
        ),
        "browse": _browse(source),
        "curl": escape(_curl(address, _QUERY)),
        "events": escape(_curl(address, _SUBSCRIPTION, "-N", "-H", "Accept: text/event-stream")),
        "numbers": "\n".join(
            f'<div><dt>{name}</dt><dd class="{kind}">{value}</dd></div>' for name, kind, value in numbers
        ),
        "catalog_words": _known(status) + escape(failed + _drift(now)),
        "span": "The last hour" if lately.hours == 1 else f"The last {lately.hours} hours",
        "ago": "1 hour ago" if lately.hours == 1 else f"{lately.hours} hours ago",
        "answers_chart": answers,
        "answers_top": _number(int(answers_top)),
        "answers_none": "" if answered else none,
        "answers_words": answers_words(counts),
        "upstream_chart": upstream,
        "upstream_top": _number(int(upstream_top)),
        "upstream_none": "" if counts.requests else none,
        "upstream_words": upstream_words(counts),
        "links": "\n".join(f'<li><a href="{escape(to)}">{escape(title)}</a></li>' for to, title in links),
    }


def _browse(source: CatalogSource) -> str:
    """Return what can be browsed; nothing while there is no catalog."""
    if (snapshot := source.latest) is None:
        return ""
    catalog, built = snapshot.catalog, is_built()
    every = f"All {len(catalog.grids):,} grids"
    return f"""<section aria-labelledby="browse">
<h2 id="browse">Browse</h2>
<div class="two">
<div><h3>The largest grids</h3><ul class="listed">
{grids_html(catalog, app_is_built=built)}
</ul><p><a href="{escape(all_grids_address(app_is_built=built))}">{every}</a></p></div>
<div><h3>The newest packages</h3><ul class="listed">
{packages_html(catalog, app_is_built=built)}
</ul></div>
</div>
</section>
"""


def _known(status: SnapshotStatus) -> str:
    """Return which catalog is known, as HTML. The beginning of its version tells two apart."""
    if status.version is None:
        return "There is no catalog yet."
    version = f'<span title="{status.version}">{status.version[:8]}</span>'
    pinned = ", which the operator has pinned" if status.pinned else ""
    return f"Version {version}{pinned}, last confirmed at {_date(status.refreshed_at)}."


def _state(status: SnapshotStatus) -> tuple[str, str]:
    """Return how the gateway answers now: a class of the page, and words."""
    if status.version is None:
        return "warn", "Crawling the catalog; answers live meanwhile" if status.syncing else "Answers live"
    if status.stale:
        return "warn", "Answers from memory, with a stale catalog"
    return "good", "Answers from memory"


def _upstream(health: SourceHealth) -> tuple[str, str]:
    """Return the state of upstream: a class of the page, and words."""
    if health.upstream.breaker == "open":
        return "bad", "paused after failures"
    if health.following.refused is not None:
        return "warn", "sends implausible data"
    if health.upstream.breaker == "half-open" or health.following.last_error is not None:
        return "warn", "fails"
    if not health.upstream.outcomes:
        return "idle", "no request yet"
    return "good", "answers"


def _curl(address: str, query: str, *options: str) -> str:
    body = msgspec.json.encode({"query": query}).decode()
    return shlex.join(["curl", "-s", *options, address, "-H", "Content-Type: application/json", "-d", body])


def _drift(health: SourceHealth) -> str:
    """Return which fields of upstream's records differ from what is known, as a sentence; nothing if none do."""
    differing = [each.words for each in health.upstream.drift[:MAX_DRIFT_SHOWN]]
    return f" Upstream has changed: {'; '.join(differing)}." if differing else ""


def _number(value: int | None) -> str:
    return "&ndash;" if value is None else f"{value:,}"


def _date(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M}"


def _duration(seconds: int) -> str:
    for unit, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 2 * unit:
            return f"{seconds // unit} {name}s"
    return f"{seconds} second{'' if seconds == 1 else 's'}"
