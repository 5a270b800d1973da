"""Tells operators the state of the gateway: health, metrics and the traffic of the last day."""

from web.monitoring.metrics import Metrics
from web.monitoring.traffic_history import remembering

__all__ = ["Metrics", "remembering"]
