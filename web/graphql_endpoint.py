"""Serves the GraphQL endpoint as an ASGI app of its own: operations by POST, QUERY and GET, and the page for a browser.

A usual request finds its answer by its bytes and is done after a few lines. Starlette's work for each request would
cost more than that.
"""

from __future__ import annotations

import msgspec
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from catalog import Snapshot
from gateway import (
    REQUEST,
    AnswerKey,
    CachedAnswer,
    Gateway,
    GraphQLRequest,
    PreparedRequest,
    RetryLater,
    caller,
    codes_of,
    masked,
    units_to_send,
)
from gateway.persisted import Refused
from web.answer_status import status_of
from web.cache_headers import NO_STORE, CachePolicy, Headers, is_any, names_tag
from web.cacheable_reply_building import CacheableReplies
from web.client_disconnects import ClientLeft, as_long_as_there
from web.compression import encoding_for
from web.content_negotiation import JSON, accept_of, accepted
from web.endpoint_refusals import document_refusal, later_refusal
from web.http_responses import (
    RawResponse,
    decoded,
    failure,
    refusal,
    send_response,
)
from web.incremental_delivery import in_parts, wants_parts
from web.own_server_extension import extension_of
from web.pages.graphiql import graphiql_page, no_graphiql
from web.persisted_document_paths import PERSISTED
from web.rate_limit_headers import RATE_LIMIT_HEADERS, rate_limit_headers
from web.repeated_head_cache import RepeatedHeads
from web.repeated_request_cache import RepeatedRequests
from web.request_body import read_body
from web.request_headers import RUNNING, TELLING, by_name, vary
from web.request_parsing import (
    ACCEPT_QUERY,
    BadRequest,
    HttpRequest,
    parameters,
    read_get,
    read_post,
)
from web.response_cache import Bytes, ResponseCache
from web.response_format import ResponseFormat, form_of
from web.security_headers import SECURITY_HEADERS
from web.server_sent_events import event_stream, wants_events

CLIENT_LEFT = 499
"""The status for a client that left before its answer. Only the servers in between read it."""

METHODS = ("GET", "HEAD", "POST", "QUERY")
"""The methods by which operations come."""
_WITH_BODY = ("POST", "QUERY")
_ALLOWED = {"Allow": ", ".join((*METHODS, "OPTIONS"))} | ACCEPT_QUERY
EXPOSED = ("Age", "ETag", "Retry-After", *RATE_LIMIT_HEADERS)
"""Headers that pages of other origins may read too."""

_PUBLIC: Headers = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", ", ".join(EXPOSED).encode()),
]


class GraphQLEndpoint:
    """Answers from the caches where it can, else by the gateway.

    ``most_together`` is how many requests a client may send in one array; 0 is none. ``public`` is whether pages of
    all origins may read the answers: caches then need not keep one for each.
    """

    def __init__(
        self,
        gateway: Gateway,
        responses: ResponseCache,
        known: RepeatedRequests,
        policy: CachePolicy,
        most_together: int,
        *,
        public: bool,
    ) -> None:
        self.responses = responses
        self._gateway = gateway
        self._fair_use = gateway.fair_use
        self._source = gateway.source
        # If not all origins may read the answers, they get further headers on their way out, which are unknown here.
        self._known = known if public else None
        self._policy = policy
        self._most_together = most_together
        varies = vary(public=public, behind_router=bool(gateway.router.secret))
        self._always = [(b"vary", varies), *SECURITY_HEADERS]
        if public:
            self._always += _PUBLIC
        self._replies = CacheableReplies(responses, policy, self._always)
        self._heads = RepeatedHeads(gateway, self._replies, policy, known.requests)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        method, address = scope["method"], scope["query_string"]
        telling = [part for header in scope["headers"] if header[0] in TELLING for part in header]
        response: ASGIApp
        try:
            body = await read_body(receive) if method in _WITH_BODY else b""
            await self._pay(REQUEST)
            documents = self._gateway.persisted.version()
            as_it_came = (method, address, body, documents, *telling)
            snapshot = self._source.current()
            if snapshot is not None:
                reply = self.responses.reply(as_it_came, snapshot.catalog.version)
                if reply is not None:
                    await self._pay(units_to_send(reply.body))
                    server = extension_of(scope)
                    if self._known is not None and server is not None and server.request is not None:
                        self._known.learn(server.request, scope, reply, documents)
                    headers = reply.headers + self._policy.headers(snapshot)
                    await send_response(scope, send, reply.status, headers, reply.body)
                    return
            telling += [part for header in scope["headers"] if header[0] in RUNNING for part in header]
            http = HttpRequest(method, address, by_name(telling), body)
            response = await self._response(http, as_it_came, snapshot, receive, scope)
        except Refused as refused:
            self._gateway.measurements.told([refused.code])
            by_path = scope["path"].startswith(PERSISTED)
            response = document_refusal(
                accepted(http.header(b"accept")), refused, self._always, by_path=by_path
            )
        except BadRequest as error:
            more = error.headers | decoded(self._uncached())
            response = refusal(error.status, str(error), accept_of(scope["headers"]), more)
        except RetryLater as error:
            self._gateway.measurements.told([error.code])
            response = later_refusal(error, accept_of(scope["headers"]), self._uncached())
        except ClientLeft:
            response = Response(status_code=CLIENT_LEFT)
        except Exception as error:
            told = masked(error, f"{method} /graphql")
            self._gateway.measurements.told(codes_of([told]))
            response = failure(500, told, accept_of(scope["headers"]), decoded(self._always))
        await response(scope, receive, send)

    async def _response(
        self,
        http: HttpRequest,
        as_it_came: Bytes,
        snapshot: Snapshot | None,
        receive: Receive,
        scope: Scope,
    ) -> ASGIApp:
        takes, documents = accepted(http.header(b"accept")), self._gateway.persisted
        if http.method in _WITH_BODY:
            read = read_post(http, documents, self._most_together)
        elif http.method in ("GET", "HEAD"):
            params = parameters(http)
            if takes.page and not any(map(params.get, ("documentId", "extensions"))):
                if not documents.only_trusted:
                    return graphiql_page(self._gateway, http, snapshot)
                if not params.get("query"):
                    return no_graphiql()
            read = read_get(http, documents)
        elif http.method == "OPTIONS":
            return Response(status_code=204, headers=_ALLOWED)
        else:
            raise BadRequest(405, f"{http.method} is not allowed here; use GET, POST or QUERY.", _ALLOWED)
        encoding = encoding_for(http.header(b"accept-encoding"))
        if isinstance(read, list):
            # An array is no GraphQL response, so plain JSON is its only type.
            form = msgspec.structs.replace(form_of(takes, encoding), media_type=JSON)
            return await self._answer_together(read, form, snapshot, receive)
        prepared = await self._gateway.prepare(read, snapshot)
        if prepared.is_mutation and http.method in ("GET", "HEAD"):
            sentence = f"{http.method} cannot run a mutation, and the schema has none."
            raise BadRequest(405, sentence, {"Allow": "POST"})
        if http.method != "HEAD":
            if wants_events(takes, prepared):
                told = rate_limit_headers(self._fair_use)
                return event_stream(self._gateway, prepared, [*self._always, *told])
            if wants_parts(takes, prepared):
                return in_parts(self._gateway, prepared, self._uncached())
        return await self._answer(http, as_it_came, prepared, form_of(takes, encoding), receive, scope)

    async def _answer(
        self,
        http: HttpRequest,
        as_it_came: Bytes,
        prepared: PreparedRequest,
        form: ResponseFormat,
        receive: Receive,
        scope: Scope,
    ) -> ASGIApp:
        cached: CachedAnswer | None = None
        asked = http.headers.get(b"if-none-match", b"") if http.method != "POST" else b""
        operation, snapshot, version = AnswerKey(prepared.request), prepared.snapshot, prepared.version
        if version is not None and prepared.may_be_cached:
            cached = self._gateway.answers.answer(operation, version)
            if cached is None and asked and not is_any(asked):
                tag = self._replies.tag(version, operation, form)
                if names_tag(asked, tag):
                    return RawResponse(
                        304, self._replies.not_modified(tag) + self._replies.ages(prepared, snapshot)
                    )
        is_found = cached is not None
        if cached is None:
            answer, server, by = None, extension_of(scope), caller.get()
            if server is None or not server.was_tried:
                answer = self._gateway.at_once.answer(prepared, by, REQUEST)
            if answer is None:
                answer = await as_long_as_there(receive, self._gateway.run(prepared))
            elif server is not None and server.request is not None and self._known is not None:
                server.learn_head = lambda request: self._heads.learn(request, scope, http, form, by)
            snapshot = answer.made_of
            if snapshot is None or not answer.can_be_cached or not prepared.is_settled:
                headers = self._uncached()
                if answer.retry_after is not None:
                    headers.append((b"retry-after", b"%d" % answer.retry_after))
                return await form.response(status_of(answer, form.takes), answer.body, headers)
            version, present = snapshot.catalog.version, self._source.latest
            if present is not None and (snapshot is present or prepared.as_of is not None):
                cached = self._gateway.answers.keep(
                    operation, version, answer.body, present=present.catalog.version
                )
            else:
                # Its catalog was replaced meanwhile. In the cache it would drive out answers from the present catalog.
                cached = CachedAnswer(answer.body)
        assert version is not None
        tag = self._replies.tag(version, operation, form)
        known_by = as_it_came if prepared.as_of is None else None
        reply = await self._replies.reply(cached, tag, form, version, asked, known_by)
        if is_found:
            await self._pay(units_to_send(reply.body))
        return RawResponse(reply.status, reply.headers + self._replies.ages(prepared, snapshot), reply.body)

    async def _pay(self, units: int) -> None:
        """Take units from the allowance of the client, who is answered 429 if there are too few."""
        if self._fair_use is not None and units:
            await self._fair_use.take(caller.get().client, units)

    def _uncached(self) -> Headers:
        """Return the headers of an answer that no cache may give to others."""
        return [*self._always, *NO_STORE, *rate_limit_headers(self._fair_use)]

    async def _answer_together(
        self,
        read: list[GraphQLRequest | Refused],
        form: ResponseFormat,
        snapshot: Snapshot | None,
        receive: Receive,
    ) -> ASGIApp:
        await self._pay(REQUEST * (len(read) - 1))
        requests = [each for each in read if isinstance(each, GraphQLRequest)]
        work = self._gateway.execute_together(requests, snapshot)
        answers = iter(await as_long_as_there(receive, work))
        bodies = (each.body if isinstance(each, Refused) else next(answers).body for each in read)
        body = b"[%b]" % b",".join(bodies)
        return await form.response(200, body, self._uncached())
