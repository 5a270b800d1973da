"""Runs operations over a WebSocket, by the protocol graphql-transport-ws, which Strawberry speaks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from json import JSONDecodeError
from typing import Any

import msgspec
from graphql import GraphQLError
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketState
from strawberry.asgi import ASGIWebSocketAdapter, GraphQL
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
    Operation,
)
from strawberry.subscriptions.protocols.graphql_transport_ws.types import (
    CompleteMessage,
    ErrorMessage,
    NextMessage,
)

from engine import turns
from gateway import (
    REQUEST,
    Gateway,
    GraphQLRequest,
    RateLimited,
    RetryLater,
    caller,
    field_error,
    later_error,
)
from gateway.persisted import Refused
from schema import OnError, read_on_error, schema
from web.request_parsing import wrong_on_error
from web.serving.connection_and_websocket_limits import Connections

MAX_OPERATIONS = 100
"""How many operations one connection can have under way."""

LONGEST_REASON = 123
"""The most bytes of a reason in a close frame (RFC 6455, 5.5)."""


class _Socket(ASGIWebSocketAdapter):
    """Extends Strawberry's adapter, so that it withstands a client that leaves at the wrong moment, and a reason
    that is too long for a close frame."""

    async def send_json(self, message: Mapping[str, object]) -> None:
        if self._is_closed():
            raise WebSocketDisconnected
        await super().send_json(message)

    async def close(self, code: int, reason: str) -> None:
        if not self._is_closed():
            await super().close(code, reason.encode()[:LONGEST_REASON].decode(errors="ignore"))

    def _is_closed(self) -> bool:
        return self.ws.application_state is WebSocketState.DISCONNECTED


@dataclass(frozen=True, slots=True)
class _Serving:
    """Holds the gateway that runs operations, and the connections of the process."""

    gateway: Gateway
    connections: Connections


class _Handler(BaseGraphQLTransportWSHandler[_Serving, None]):
    """Extends Strawberry's handler, so that the gateway runs each operation as if it had come alone, with the same
    errors.

    It closes a connection on which nothing has been under way for long, and all connections when the gateway stops.
    """

    websocket: _Socket
    asked = 0
    """How many operations the client has begun."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._asked_for: dict[str, tuple[OnError, bool]] = {}
        """The error behaviour of the operations that did not begin yet, and whether they ask for an explanation, by
        their ids. Strawberry's operation has no place for these."""

    async def handle(self) -> None:
        """Speak the protocol until the connection ends."""
        closing = asyncio.create_task(self._close_when_over(self.context.connections))
        try:
            await super().handle()
        finally:
            closing.cancel()

    async def _close_when_over(self, connections: Connections) -> None:
        seconds = connections.limits.socket_idle_seconds
        while True:
            asked = self.asked
            try:
                async with asyncio.timeout(seconds):
                    await connections.stopping.wait()
            except TimeoutError:
                if not self.operations and self.asked == asked:
                    await self.websocket.close(
                        1000, f"The connection had no operation for {seconds:g} seconds."
                    )
                    return
            else:
                break
        # Subscriptions end by themselves now; others are answered.
        while tasks := [operation.task for operation in self.operations.values() if operation.task]:
            await asyncio.wait(tasks)
        await self.websocket.close(1001, "The gateway is stopping.")

    async def handle_message(self, message: Any) -> None:
        wrong = _wrong(message)
        if wrong:
            await self.handle_invalid_message(wrong)
            return
        if message["type"] == "subscribe" and self._is_next(message["id"]):
            self.asked += 1
            # Thousands of messages may have come at once.
            await turns().next()
            if len(self.operations) >= MAX_OPERATIONS:
                sentence = f"This connection has {MAX_OPERATIONS} operations under way, which is the limit."
                await self._refuse(
                    message["id"], {"message": sentence, "extensions": {"code": "BAD_REQUEST"}}
                )
                return
            fair_use = self.context.gateway.fair_use
            if fair_use is not None:
                try:
                    await fair_use.take(caller.get().client, REQUEST)
                except RateLimited as error:
                    await self._refuse(message["id"], later_error(error))
                    return
            payload = message["payload"]
            try:
                payload["query"] = self.context.gateway.persisted.resolve(
                    payload.get("query"), payload.get("documentId"), payload.get("extensions")
                )
            except Refused as refused:
                self.context.gateway.measurements.told([refused.code])
                await self._refuse(message["id"], refused.error)
                return
            full = self.context.gateway.refused_at_once(
                GraphQLRequest(payload["query"], operation_name=payload.get("operationName"))
            )
            if full is not None:
                await self._refuse(message["id"], full.decoded()["errors"][0])
                return
            on_error = read_on_error(payload.get("onError")) or "PROPAGATE"
            explain = (payload.get("extensions") or {}).get("explain") is True
            self._asked_for[message["id"]] = on_error, explain
        await super().handle_message(message)
        if message["type"] == "subscribe" and message["id"] not in self.operations:
            self._asked_for.pop(message["id"], None)  # it was refused

    async def run_operation(self, operation: Operation[_Serving, None]) -> None:
        on_error, explain = self._asked_for.pop(operation.id, ("PROPAGATE", False))
        request = GraphQLRequest(
            operation.query,
            operation.variables,
            operation.operation_name,
            explain=explain,
            on_error=on_error,
        )
        gateway = self.context.gateway
        try:
            prepared = await gateway.prepare(request, gateway.source.current())
            async with aclosing(gateway.stream(prepared)) as answers:
                async for answer in answers:
                    if not answer.ran:
                        await self._send_errors(operation, answer.decoded()["errors"])
                        return
                    payload: Any = msgspec.Raw(answer.body)
                    message = NextMessage(id=operation.id, type="next", payload=payload)
                    await operation.send_operation_message(message)
            await operation.send_operation_message(CompleteMessage(id=operation.id, type="complete"))
        except WebSocketDisconnected:
            return
        except RetryLater as error:
            await self._send_errors(operation, [later_error(error)])
        except Exception as error:
            failure = GraphQLError(str(error), original_error=error)
            await self._send_errors(operation, [field_error(failure)])

    async def _send_errors(self, operation: Operation[_Serving, None], errors: Any) -> None:
        await operation.send_operation_message(ErrorMessage(id=operation.id, type="error", payload=errors))

    async def _refuse(self, id: str, error: Any) -> None:
        await self.send_message(ErrorMessage(id=id, type="error", payload=[error]))

    def _is_next(self, id: str) -> bool:
        # Strawberry refuses an id that is in use already, and an operation before the handshake.
        return self.connection_acknowledged and id not in self.operations


class WebSocketEndpoint(GraphQL[_Serving, None]):
    """Serves the WebSocket side of the endpoint. The gateway runs the operations.

    Pages of ``origins`` may connect, besides the gateway's own. ``*`` means all, because the data are public, and there
    are no cookies or logins to misuse.
    """

    graphql_transport_ws_handler_class = _Handler
    websocket_adapter_class = _Socket

    def __init__(
        self,
        gateway: Gateway,
        connections: Connections,
        origins: Sequence[str],
        connection_init_wait_timeout: timedelta = timedelta(minutes=1),
    ) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL],
            connection_init_wait_timeout=connection_init_wait_timeout,
            max_subscriptions_per_connection=None,  # The handler's own reason has a sentence and a code.
            allowed_origins=origins,
        )
        self._serving = _Serving(gateway, connections)

    async def get_context(self, request: HttpRequest | WebSocket, response: Response | WebSocket) -> _Serving:
        """Return the context of the handler."""
        return self._serving

    def decode_json(self, data: str | bytes) -> object:
        """Return a message of the client."""
        try:
            return msgspec.json.decode(data)
        except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
            raise JSONDecodeError(str(error), "", 0) from None

    def encode_json(self, data: object) -> str:
        """Return a message to the client: as text, which clients in browsers need."""
        return msgspec.json.encode(data).decode()


def _wrong(message: Any) -> str | None:
    """Return why a message does not belong to the protocol, in a sentence."""
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return 'A message is a JSON object with a "type".'
    if message["type"] in ("subscribe", "complete") and not isinstance(message.get("id"), str):
        return f'A message of type {message["type"]} has an "id", a string.'
    if message["type"] in ("ping", "pong") and not isinstance(message.get("payload"), dict | None):
        return f'The "payload" of a {message["type"]} message is an object.'
    if message["type"] != "subscribe":
        return None
    payload = message.get("payload")
    if not isinstance(payload, dict) or payload.keys().isdisjoint(("query", "documentId", "extensions")):
        return 'A message of type subscribe has a "payload" with a "query", a string.'
    if not isinstance(payload.get("query"), str | None):
        return 'The "query" of a subscribe message is a string.'
    if not isinstance(payload.get("documentId"), str | None):
        return 'The "documentId" of a subscribe message is a string.'
    if not isinstance(payload.get("extensions"), dict | None):
        return 'The "extensions" of a subscribe message are an object.'
    if not isinstance(payload.get("variables"), dict | None):
        return 'The "variables" of a subscribe message are an object.'
    if not isinstance(payload.get("operationName"), str | None):
        return 'The "operationName" of a subscribe message is a string.'
    on_error = payload.get("onError")
    if not isinstance(on_error, str | None):
        return 'The "onError" of a subscribe message is a string.'
    if on_error is not None and read_on_error(on_error) is None:
        return wrong_on_error(on_error)
    return None
