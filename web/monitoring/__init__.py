"""Tells operators how the gateway does: health, metrics and the traffic of the last day."""
