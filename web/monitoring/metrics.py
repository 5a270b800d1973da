"""Shows the gateway's measurements to Prometheus, those of all worker processes together."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager

from starlette.requests import Request
from starlette.responses import Response

from gateway import Gateway
from telemetry import DurationHistogram, MetricFamily, WorkerMetricFiles
from web.monitoring.catalog_metrics import catalog_metrics
from web.monitoring.gateway_metrics import gateway_metrics
from web.monitoring.server_metrics import server_metrics
from web.request_counts import RequestCounts
from web.response_cache import ResponseCache
from web.serving.connection_and_websocket_limits import Connections

EVERY = 0.5
"""Seconds between looks at the event loop, after each of which a worker writes what it has measured."""

_log = logging.getLogger(__name__)


class Metrics:
    """Measures while :meth:`measuring` lasts. ``workers`` are the files of the server's workers, if it has several."""

    def __init__(
        self,
        gateway: Gateway,
        responses: ResponseCache,
        connections: Connections,
        workers: WorkerMetricFiles | None,
    ) -> None:
        self.requests = RequestCounts()
        """The HTTP requests, which the app and the protocol of the server count."""
        self._gateway = gateway
        self._responses = responses
        self._connections = connections
        self._workers = workers
        self._lags = DurationHistogram()
        self._one_at_a_time = asyncio.Lock()
        self._is_shared = True
        """Whether the last write of this worker's file succeeded."""

    async def metrics(self, _request: Request) -> Response:
        """Return the measurements in Prometheus's text format."""
        if self._workers is None:
            return _response(self.families())
        # This worker's own measurements come first, so that no other worker tells less later.
        await self._share(self._workers)
        return _response(await asyncio.to_thread(self._workers.read))

    def families(self) -> Iterator[MetricFamily]:
        """Yield what this process has measured."""
        yield from server_metrics(self.requests, self._connections, self._lags)
        yield from gateway_metrics(self._gateway, self._responses)
        yield from catalog_metrics(self._gateway.source)

    @asynccontextmanager
    async def measuring(self) -> AsyncIterator[None]:
        """Watch the event loop, and share the measurements, while this is entered and once more at its end."""
        watching = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            if self._workers is not None:
                await self._share(self._workers)

    async def _watch(self) -> None:
        while True:
            due = time.monotonic() + EVERY
            await asyncio.sleep(EVERY)
            self._lags.observe(max(0.0, time.monotonic() - due))
            if self._workers is not None:
                await self._share(self._workers)

    async def _share(self, workers: WorkerMetricFiles) -> None:
        """Write what this worker has measured. If the disk is full, the others do not learn it, but every scrape is
        answered."""
        async with self._one_at_a_time:
            families = list(self.families())
            try:
                await asyncio.to_thread(workers.write, families)
            except OSError as error:
                if self._is_shared:
                    _log.warning("This worker's measurements cannot be shared with the others: %s", error)
                self._is_shared = False
            else:
                self._is_shared = True


def _response(families: Iterable[MetricFamily]) -> Response:
    # The import is here, because it would slow down the start.
    from web.monitoring.prometheus_text import CONTENT_TYPE_LATEST, prometheus_text

    return Response(prometheus_text(families), headers={"Content-Type": CONTENT_TYPE_LATEST})
