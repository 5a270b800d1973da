"""Reads GraphQL requests from HTTP: GraphQL over HTTP, edition of September 2026, sections 4.3 (GET) and 4.4 (POST).

A QUERY (RFC 10008) is like a POST; the edition does not have it yet. A body that cannot be parsed has the status 400,
and well-formed JSON that is no GraphQL request has 422 (section 5.4).
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from gateway import GraphQLRequest
from gateway.persisted import PersistedDocuments, Refused
from schema import ON_ERROR, OnError, read_on_error
from upstream.client import TRACEPARENT

MAX_BODY = 1_000_000
"""The most bytes of a body. The largest operation of a real client has a few kilobytes."""

MAX_ADDRESS = 32_000
"""Bytes of what comes after the ``?``: four times what most servers and caches pass on."""

ACCEPT_QUERY = {"Accept-Query": '"application/json"'}
"""The header that tells which bodies a QUERY may have (RFC 10008, section 3)."""

RECEIPT_HEADER = "X-Gateway-Receipt"

EXPLAIN_HEADER = "X-Gateway-Explain"
"""The header that asks what an operation would cost, as ``extensions: {"explain": true}`` in a request does."""

ROUTER_HEADER = "Router-Authorization"
"""The header with the secret that the router shares with its subgraphs."""

TRACE_HEADER = "apollo-federation-include-trace"
"""The header by which a router of Apollo asks for a trace of the fields. Such a trace has the text of errors that
others see masked, so it is for a router with the secret alone."""

_RECEIPT, _EXPLAIN, _ROUTER, _TRACE, _TRACEPARENT = (
    name.lower().encode()
    for name in (RECEIPT_HEADER, EXPLAIN_HEADER, ROUTER_HEADER, TRACE_HEADER, TRACEPARENT)
)
_EXAMPLE = '{"query": "{ categories { title } }"}'
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_PARAMETERS = ("query", "documentId", "operationName", "variables", "extensions", "onError")
_IN_JSON = tuple(f'"{name}"'.encode() for name in _PARAMETERS)


class BadRequest(Exception):
    """Refuses an HTTP request that is no GraphQL request. The message is a sentence for the author of the client."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}


class HttpRequest(msgspec.Struct, frozen=True):
    """Holds an HTTP request as it came."""

    method: str
    address: bytes
    """What comes after the ``?``, still encoded."""
    headers: dict[bytes, bytes]
    """The headers by their names in lower case. The values of several headers of one name are joined by commas."""
    body: bytes

    def header(self, name: bytes) -> str | None:
        """Return the value of a header, if it is there. The name is in lower case."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")


def read_post(
    http: HttpRequest, documents: PersistedDocuments, most_together: int = 0
) -> GraphQLRequest | list[GraphQLRequest | Refused]:
    """Return the GraphQL request in a POST or QUERY, or a list of them from a client that sends up to
    ``most_together`` at once.

    :raises BadRequest: there is none.
    :raises Refused: its document is not known or not allowed. For a request in a list, the refusal takes its place.
    """
    _check_content_type(http.header(b"content-type"))
    encoding = http.header(b"content-encoding")
    if encoding is not None and encoding.strip().lower() != "identity":
        raise BadRequest(
            415, f"The Content-Encoding is {encoding.strip()}; a request must not be compressed."
        )
    params = _decoded(http.body.removeprefix(_BYTE_ORDER_MARK))
    if isinstance(params, list) and most_together:
        if not 0 < len(params) <= most_together:
            raise BadRequest(
                422, f"The body has {len(params)} requests in its array; it can have 1 to {most_together}."
            )
        requests: list[GraphQLRequest | Refused] = []
        for place, each in enumerate(params):
            try:
                requests.append(_of_object(http, documents, each, f"Request {place} of the array"))
            except Refused as refused:
                requests.append(refused)
        return requests
    return _of_object(http, documents, params, "The body")


class _TextRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    query: str
    variables: dict[str, Any] | None = None
    operationName: str | None = None
    extensions: dict[str, Any] | None = None
    documentId: str | None = None
    onError: str | None = None


_decoded_text = msgspec.json.Decoder(_TextRequest).decode


def read_text(body: bytes) -> GraphQLRequest | None:
    """Return the GraphQL request in the body of a POST whose headers ask for nothing more, if it is one with a text and
    without extensions and unknown members. It is for a gateway that runs more than trusted documents.

    ``None`` is about all others, for which :func:`read_post` gives the request, or says what is wrong.
    """
    try:
        params = _decoded_text(body)
        on_error, text = read_on_error(params.onError), params.query
        if on_error is None or params.documentId or params.extensions or not text or text.isspace():
            return None
        _check_doubles(body)
    except (msgspec.DecodeError, RecursionError, UnicodeError, BadRequest):
        return None
    return GraphQLRequest(text, params.variables, params.operationName or None, on_error=on_error)


def read_get(http: HttpRequest, documents: PersistedDocuments) -> GraphQLRequest:
    """Return the GraphQL request in the address of a GET.

    :raises BadRequest: there is none.
    :raises Refused: its document is not known or not allowed.
    """
    params: dict[str, Any] = parameters(http)
    for name in ("variables", "extensions"):
        if name in params:
            try:
                params[name] = msgspec.json.decode(params[name]) if params[name] else None
            except (msgspec.DecodeError, RecursionError, UnicodeError):
                raise BadRequest(422, f"{name} in the address is not JSON.") from None
    return _request(http, documents, params)


def parameters(http: HttpRequest) -> dict[str, str]:
    """Return the parameters in the address.

    :raises BadRequest: a name occurs twice, or there are bytes that are no text.
    """
    if len(http.address) > MAX_ADDRESS:
        raise BadRequest(
            414, f"The address has {len(http.address):,} bytes after the ?; it can have {MAX_ADDRESS:,}."
        )
    try:
        pairs = parse_qsl(http.address.decode("ascii"), keep_blank_values=True, errors="strict")
    except UnicodeError:
        raise BadRequest(422, "The address is not percent-encoded UTF-8.") from None
    params = dict(pairs)
    for name in _PARAMETERS:
        if sum(each == name for each, _ in pairs) > 1:
            raise BadRequest(422, f"{name} is in the address more than once.")
    return params


def _decoded(body: bytes) -> Any:
    if not body.strip():
        raise BadRequest(400, f"The body is empty; it must be a JSON object such as {_EXAMPLE}.")
    try:
        params = msgspec.json.decode(body)
        _check_doubles(body)
    except RecursionError:
        raise BadRequest(400, "The body is nested too deeply to be a GraphQL request.") from None
    except UnicodeDecodeError:
        raise BadRequest(400, "The body is not UTF-8.") from None
    except msgspec.DecodeError as error:
        raise BadRequest(400, f"The body is not JSON: {error}.") from None
    return params


def _check_doubles(body: bytes) -> None:
    """Check that no object in a body has two members of one name: the decoder takes the last, another server the
    first."""
    # Few bodies have one of the names twice, or an escape with which a name can be written differently.
    if max(map(body.count, _IN_JSON)) > 1 or b"\\u00" in body:
        json.loads(body, object_pairs_hook=_without_doubles)


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise BadRequest(400, f'The body has an object with two members named "{name[:100]}".')
        found[name] = value
    return found


def _of_object(
    http: HttpRequest,
    documents: PersistedDocuments,
    params: Any,
    what: str,
) -> GraphQLRequest:
    if not isinstance(params, dict):
        raise BadRequest(422, f"{what} must be a JSON object such as {_EXAMPLE}; it is {_named(params)}.")
    return _request(http, documents, params)


def _request(http: HttpRequest, documents: PersistedDocuments, params: dict[str, Any]) -> GraphQLRequest:
    query = _optional(params, "query", str, "a string")
    document_id = _optional(params, "documentId", str, "a string")
    extensions = _optional(params, "extensions", dict, "an object")
    if not document_id and (extensions or {}).get("persistedQuery") is None:
        if query is None:
            raise BadRequest(422, f"query is missing; a request looks like {_EXAMPLE}.")
        if not query.strip():
            # The value is a string, so the request is well-formed, but it cannot be parsed as a document (section 4.1).
            raise BadRequest(400, f"query is empty; a request looks like {_EXAMPLE}.")
    variables = _optional(params, "variables", dict, "an object")
    operation_name = _optional(params, "operationName", str, "a string") or None
    return GraphQLRequest(
        # This comes last, so that a request that is wrong otherwise registers nothing.
        query=documents.resolve(query, document_id, extensions),
        variables=variables,
        operation_name=operation_name,
        receipt=http.headers.get(_RECEIPT) == b"1",
        explain=http.headers.get(_EXPLAIN) == b"1" or (extensions or {}).get("explain") is True,
        router=http.header(_ROUTER),
        traced=http.headers.get(_TRACE) == b"ftv1",
        traceparent=http.header(_TRACEPARENT),
        on_error=_on_error(params),
    )


def _on_error(params: dict[str, Any]) -> OnError:
    value = _optional(params, "onError", str, "a string")
    behavior = read_on_error(value)
    if behavior is None:
        raise BadRequest(422, wrong_on_error(value))
    return behavior


def wrong_on_error(value: str) -> str:
    """Return what is wrong with a value of ``onError``, in a sentence."""
    *others, last = ON_ERROR
    return f'onError is "{value[:50]}"; it can be {", ".join(others)} or {last}.'


def _optional(params: dict[str, Any], name: str, type_: type, wanted: str) -> Any:
    value = params.get(name)
    if value is not None and not isinstance(value, type_):
        raise BadRequest(422, f"{name} must be {wanted}; it is {_named(value)}.")
    return value


def _check_content_type(content_type: str | None) -> None:
    if content_type == "application/json":
        return
    if not content_type:
        raise BadRequest(415, "The request has no Content-Type; it must be application/json.", ACCEPT_QUERY)
    media_type, _, parameters = content_type.partition(";")
    if media_type.strip().lower() != "application/json":
        raise BadRequest(
            415, f"The Content-Type is {media_type.strip()}; it must be application/json.", ACCEPT_QUERY
        )
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip().strip('"').lower() not in ("utf-8", "utf8"):
            raise BadRequest(415, f"The charset is {value.strip()}; it must be utf-8.", ACCEPT_QUERY)


def _named(value: object) -> str:
    names = {
        str: "a string",
        bool: "a boolean",
        int: "a number",
        float: "a number",
        list: "an array",
        dict: "an object",
        type(None): "null",
    }
    return names[type(value)]
