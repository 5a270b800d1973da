"""Serves the control endpoints of an embedded upstream that runs as a server. They are not counted.

GET    /__control__/requests             what was asked since the last reset
POST   /__control__/reset                forget that
GET    /__control__/faults               the rules in force
POST   /__control__/faults               a rule more: {"effect": {"type": "status", "code": 503}, "times": 2}
DELETE /__control__/faults               no rules, and up again
PUT    /__control__/state                {"state": "up" | "down" | "maintenance" | "database-down"}
POST   /__control__/packages             insert a package: its fields, all optional
PATCH  /__control__/packages/{id}        change some of its fields
DELETE /__control__/packages/{id}        remove it
POST   /__control__/reindex              bring the search index up to date
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from .editable_catalog import EmbeddedCatalog
from .faults import Fault, Faults, State
from .request_log import RequestLog

CONTROL_PATH = "/__control__/"

T = TypeVar("T")


class _StateChange(msgspec.Struct, forbid_unknown_fields=True):
    state: State


def control_app(catalog: EmbeddedCatalog, faults: Faults, requests: RequestLog) -> ASGIApp:
    """Return the application under `/__control__/`."""

    async def read_requests(request: Request) -> Response:
        return _json(
            {
                "total": requests.total,
                "bytes": requests.bytes,
                "max_concurrency": requests.max_concurrency,
                "longest_chain": requests.longest_chain,
                "by_target": requests.by_target,
                "listed": list(requests.listed),
            }
        )

    async def reset(request: Request) -> Response:
        requests.reset()
        return Response(status_code=204)

    async def read_faults(request: Request) -> Response:
        return _json({"state": faults.state, "faults": faults.active})

    async def add_fault(request: Request) -> Response:
        fault = _decoded(await request.body(), Fault)
        faults.add(fault)
        return _json(fault, 201)

    async def clear_faults(request: Request) -> Response:
        faults.clear()
        return Response(status_code=204)

    async def change_state(request: Request) -> Response:
        faults.state = _decoded(await request.body(), _StateChange).state
        return _json({"state": faults.state})

    async def insert_package(request: Request) -> Response:
        package_id = catalog.insert_package(**_decoded(await request.body() or b"{}", dict[str, Any]))
        return _json({"id": package_id}, 201)

    async def update_package(request: Request) -> Response:
        fields = _decoded(await request.body(), dict[str, Any])
        if "id" in fields:
            raise ValueError("The id of a package cannot be changed.")
        catalog.update_package(request.path_params["id"], **fields)
        return _json({"id": request.path_params["id"]})

    async def remove_package(request: Request) -> Response:
        catalog.remove_package(request.path_params["id"])
        return Response(status_code=204)

    async def reindex(request: Request) -> Response:
        catalog.reindex()
        return Response(status_code=204)

    def route(path: str, method: str, endpoint: Callable[[Request], Awaitable[Response]]) -> Route:
        return Route(CONTROL_PATH + path, endpoint, methods=[method])

    return Starlette(
        routes=[
            route("requests", "GET", read_requests),
            route("reset", "POST", reset),
            route("faults", "GET", read_faults),
            route("faults", "POST", add_fault),
            route("faults", "DELETE", clear_faults),
            route("state", "PUT", change_state),
            route("packages", "POST", insert_package),
            route("packages/{id:int}", "PATCH", update_package),
            route("packages/{id:int}", "DELETE", remove_package),
            route("reindex", "POST", reindex),
        ],
        exception_handlers={ValueError: _bad_input},
    )


async def _bad_input(request: Request, error: Exception) -> Response:
    return _json({"detail": str(error)}, 400)


def _decoded(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        sentence = str(error).removesuffix(".")
        raise ValueError(f"The body is not what is expected here: {sentence}.") from error


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
