"""A request is traced from the socket to upstream by the conventions of OpenTelemetry, where that is switched on."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.trace import SpanKind, StatusCode
from starlette.requests import Request
from starlette.responses import Response

from tests.support.gateway_in_process import app_over, client_of
from tests.support.http_servers import serving
from tests.support.recorded_spans import RecordedSpans, id_of, recorded_spans, trace_of
from upstream.embedded import EmbeddedUpstream, Fault, StatusFault

ROOT = Path(__file__).parents[3]
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01", "tracestate": "vendor=1"}
QUERY = "query Secretly($id: Int!) { package(databaseId: $id) { title category { title } } }"
ASKED = {"query": QUERY, "variables": {"id": 1599}}


class Listening:
    """Is an upstream that remembers the headers of its requests."""

    def __init__(self, embedded: EmbeddedUpstream) -> None:
        self.headers: list[dict[bytes, bytes]] = []
        self._embedded = embedded

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.headers.append(dict(scope["headers"]))
        await self._embedded(scope, receive, send)


@pytest.fixture
def upstream(embedded: EmbeddedUpstream) -> Listening:
    return Listening(embedded)


@pytest.fixture
async def traced(upstream: Listening) -> AsyncIterator[tuple[httpx.AsyncClient, RecordedSpans]]:
    """Return a client of a gateway without a catalog, and the spans that the gateway makes."""
    async with client_of(app_over(upstream)) as http:
        with recorded_spans() as spans:
            yield http, spans


Traced = tuple[httpx.AsyncClient, RecordedSpans]


async def test_the_spans_of_an_operation_go_from_the_request_to_upstream(
    traced: Traced, upstream: Listening
) -> None:
    http, spans = traced
    await http.post("/graphql", json=ASKED, headers=PARENT)
    paths = {" / ".join(spans.path(span)) for span in spans.all()}
    request, operation = "POST /graphql", "POST /graphql / query"
    level = f"{operation} / graphql.execute / graphql.level"
    assert paths >= {
        request,
        f"{request} / graphql.parse",
        f"{request} / graphql.validate",
        operation,
        f"{operation} / graphql.plan",
        f"{operation} / graphql.execute",
        f"{operation} / graphql.serialize",
        level,
        f"{level} / gateway.batch",
    }
    sent = [span for span in spans.all() if span.kind is SpanKind.CLIENT]
    assert len(sent) == len(upstream.headers) == 2
    assert all(" / ".join(spans.path(span)).startswith(level) for span in sent)


async def test_the_trace_of_the_client_goes_on_to_upstream(traced: Traced, upstream: Listening) -> None:
    http, spans = traced
    await http.post("/graphql", json=ASKED, headers=PARENT | {"baggage": "user=me"})
    assert {trace_of(span) for span in spans.all()} == {TRACE}
    request = spans.one("POST /graphql")
    assert request.parent is not None
    assert request.parent.span_id == 0x00F067AA0BA902B7
    ids = {f"00-{TRACE}-{id_of(span):016x}-01".encode() for span in spans.all() if span.name == "GET"}
    assert {headers[b"traceparent"] for headers in upstream.headers} == ids
    assert {headers[b"tracestate"] for headers in upstream.headers} == {b"vendor=1"}
    assert not any(b"baggage" in headers for headers in upstream.headers)


async def test_each_span_has_the_kind_and_the_attributes_of_the_conventions(traced: Traced) -> None:
    http, spans = traced
    await http.post("/graphql", json=ASKED)
    request, operation = spans.one("POST /graphql"), spans.one("query")
    assert (request.kind, operation.kind) == (SpanKind.SERVER, SpanKind.SERVER)
    assert dict(request.attributes or {}) == {
        "http.request.method": "POST",
        "http.route": "/graphql",
        "http.response.status_code": 200,
        "url.path": "/graphql",
        "url.scheme": "http",
        "network.protocol.version": "1.1",
    }
    assert dict(operation.attributes or {}) == {
        "graphql.operation.type": "query",
        "graphql.operation.name": "Secretly",
        "gateway.outcome": "answered",
        "gateway.upstream_requests": 2,
    }
    first, _second = (dict(span.attributes or {}) for span in spans.all() if span.name == "GET")
    assert first == {
        "http.request.method": "GET",
        "url.full": "http://upstream.test/api/v4/packages/1599/",
        "server.address": "upstream.test",
        "server.port": 80,
        "http.response.status_code": 200,
    }
    assert {span.status.status_code for span in spans.all()} == {StatusCode.UNSET}


async def test_what_fails_says_so_and_what_is_missing_does_not(
    traced: Traced, embedded: EmbeddedUpstream
) -> None:
    http, spans = traced
    embedded.faults.add(Fault(StatusFault(503), path="/api/v4/packages/1599/"))
    await http.post("/graphql", json=ASKED)
    failed = {span.name for span in spans.all() if span.status.status_code is StatusCode.ERROR}
    assert failed == {"GET", "query"}
    assert (spans.one("GET").attributes or {})["error.type"] == "503"
    assert (spans.one("query").attributes or {})["error.type"] == "errors"
    spans.clear()
    await http.post("/graphql", json={"query": "{ package(databaseId: 999999) { title } }"})
    await http.post("/graphql", json={"query": "{ nothing }"})
    assert not [span for span in spans.all() if span.status.status_code is StatusCode.ERROR]


async def test_no_span_has_what_a_client_wrote_unless_that_is_wanted(upstream: Listening) -> None:
    asked = {"query": 'query Q { search(query: "a secret") { totalCount } }'}
    async with client_of(app_over(upstream)) as http:
        for documents in (False, True):
            with recorded_spans(documents=documents) as spans:
                await http.get("/graphql", params=asked)
            told = [value for span in spans.all() for value in (span.attributes or {}).values()]
            assert any("secret" in str(value) for value in told) == documents
            assert "secret" not in str(spans.names())
            if documents:
                assert (spans.one("query").attributes or {})["graphql.document"] == asked["query"]


async def test_a_cached_answer_has_the_span_of_its_request_alone(upstream: Listening) -> None:
    app = app_over(upstream)
    async with client_of(app) as http:
        await app.parts.source.crawl()
        await http.post("/graphql", json=ASKED)
        with recorded_spans() as spans:
            await http.post("/graphql", json=ASKED)
    assert spans.names() == ["POST /graphql"]


async def test_strawberrys_execution_is_traced_too(upstream: Listening) -> None:
    async with client_of(app_over(upstream, engine="off")) as http:
        with recorded_spans() as spans:
            await http.post("/graphql", json=ASKED)
    execute = ["POST /graphql", "query", "graphql.execute"]
    assert spans.path(spans.one("graphql.execute")) == execute
    assert all(spans.path(span)[:3] == execute for span in spans.all() if span.name == "GET")


async def test_an_operation_in_parts_has_one_span_to_its_end(traced: Traced) -> None:
    http, spans = traced
    query = "query Late { categories { title } ... @defer { stats { packageCount } } }"
    await http.post("/graphql", json={"query": query}, headers={"Accept": "multipart/mixed"})
    attributes = dict(spans.one("query").attributes or {})
    assert (attributes["graphql.operation.name"], attributes["gateway.outcome"]) == ("Late", "errors")


async def test_a_crawl_is_a_trace_of_its_own(upstream: Listening) -> None:
    app = app_over(upstream)
    async with client_of(app):
        with recorded_spans() as spans:
            await app.parts.source.crawl()
    crawl = spans.one("catalog crawl")
    assert crawl.parent is None
    assert {trace_of(span) for span in spans.all()} == {trace_of(crawl)}


async def test_the_log_names_the_trace_that_the_gateway_began(
    traced: Traced, caplog: pytest.LogCaptureFixture
) -> None:
    http, spans = traced
    with caplog.at_level(logging.DEBUG, "gateway.operation_log"):
        await http.post("/graphql", json=ASKED)
    (record,) = (record for record in caplog.records if record.name == "gateway.operation_log")
    assert vars(record)["fields"]["trace"] == trace_of(spans.one("query"))


async def test_spans_arrive_by_the_protocol_of_opentelemetry(
    embedded: EmbeddedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    received = ExportTraceServiceRequest()

    async def collector(scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        assert request.url.path == "/v1/traces"
        received.MergeFrom(ExportTraceServiceRequest.FromString(await request.body()))
        await Response(b"", media_type="application/x-protobuf")(scope, receive, send)

    with serving(collector) as address:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
        monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
        async with client_of(app_over(embedded, traces="on")) as http:
            await http.post("/graphql", json=ASKED, headers=PARENT)
    (spans,) = received.resource_spans
    resource = {each.key: each.value.string_value for each in spans.resource.attributes}
    assert resource["service.name"] == "djangopackages-graphql"
    assert resource["deployment.environment.name"] == "test"
    names = [span.name for scope in spans.scope_spans for span in scope.spans]
    assert {"POST /graphql", "query", "GET"} <= set(names)


def test_a_gateway_that_is_to_trace_and_cannot_says_what_to_install(tmp_path: Path) -> None:
    # An empty package of the same name stands before the real one.
    (tmp_path / "opentelemetry").mkdir()
    (tmp_path / "opentelemetry" / "__init__.py").write_text("")
    done = subprocess.run(
        [sys.executable, "server.py", "serve", "--port", "0"],
        cwd=ROOT,
        env=os.environ | {"GATEWAY_TRACES": "on", "GATEWAY_MCP": "off", "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert done.stderr == (
        "GATEWAY_TRACES is not off, but OpenTelemetry is not installed; `make tracing` installs it.\n"
    )
