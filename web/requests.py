"""Reads a GraphQL request from HTTP: GraphQL over HTTP, sections 5.2 (GET) and 5.4 (POST)."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request as HttpRequest

from web.execution import Request

MAX_BODY = 1_000_000
"""Bytes. The largest operation of a real client is a few kilobytes."""

RECEIPT_HEADER = "X-Gateway-Receipt"

_EXAMPLE = '{"query": "{ categories { title } }"}'


class BadRequest(Exception):
    """An HTTP request that is no GraphQL request. The message is a sentence for whoever wrote the client."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def read_post(http: HttpRequest) -> Request:
    """The GraphQL request in a POST.

    :raises BadRequest: there is none.
    """
    _check_content_type(http.headers.get("Content-Type"))
    body = await _read_body(http)
    if not body.strip():
        raise BadRequest(400, f"The body is empty; it must be a JSON object such as {_EXAMPLE}.")
    try:
        params = msgspec.json.decode(body)
    except RecursionError:
        raise BadRequest(400, "The body is nested too deeply to be a GraphQL request.") from None
    except UnicodeDecodeError:
        raise BadRequest(400, "The body is not UTF-8.") from None
    except msgspec.DecodeError as error:
        raise BadRequest(400, f"The body is not JSON: {error}.") from None
    if not isinstance(params, dict):
        raise BadRequest(400, f"The body must be a JSON object such as {_EXAMPLE}; it is {_named(params)}.")
    return _request(http, params)


def read_get(http: HttpRequest) -> Request:
    """The GraphQL request in the address of a GET.

    :raises BadRequest: there is none.
    """
    params: dict[str, Any] = dict(http.query_params)
    for name in ("variables", "extensions"):
        if name in params:
            try:
                params[name] = msgspec.json.decode(params[name]) if params[name] else None
            except (msgspec.DecodeError, RecursionError, UnicodeError):
                raise BadRequest(400, f"{name} in the address is not JSON.") from None
    return _request(http, params)


def _request(http: HttpRequest, params: dict[str, Any]) -> Request:
    query = _optional(params, "query", str, "a string")
    if not query or not query.strip():
        raise BadRequest(400, f"query is missing; a request looks like {_EXAMPLE}.")
    _optional(params, "extensions", dict, "an object")
    return Request(
        query=query,
        variables=_optional(params, "variables", dict, "an object"),
        operation_name=_optional(params, "operationName", str, "a string") or None,
        receipt=http.headers.get(RECEIPT_HEADER) == "1",
    )


def _optional(params: dict[str, Any], name: str, type_: type, wanted: str) -> Any:  # noqa: ANN401
    value = params.get(name)
    if value is not None and not isinstance(value, type_):
        raise BadRequest(400, f"{name} must be {wanted}; it is {_named(value)}.")
    return value


def _check_content_type(content_type: str | None) -> None:
    if not content_type:
        raise BadRequest(415, "The request has no Content-Type; it must be application/json.")
    media_type, _, parameters = content_type.partition(";")
    if media_type.strip().lower() != "application/json":
        raise BadRequest(415, f"The Content-Type is {media_type.strip()}; it must be application/json.")
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip().strip('"').lower() != "utf-8":
            raise BadRequest(415, f"The charset is {value.strip()}; it must be utf-8.")


async def _read_body(http: HttpRequest) -> bytes:
    body = bytearray()
    async for chunk in http.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise BadRequest(413, f"The body has more than {MAX_BODY:,} bytes.")
    return bytes(body)


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
