"""Defines the charges to the allowances of clients on the server, and their outcomes."""

from __future__ import annotations

from typing import NamedTuple


class Charge(NamedTuple):
    """Takes units from what a client has left."""

    client: str
    units: int
    interval: float
    """Seconds in which one unit comes back."""
    max_used: int
    """The units that a client can have used at once. If it would have used more, nothing is taken."""


class Charged(NamedTuple):
    """Says the outcome of a charge."""

    is_taken: bool
    remaining: int
    """The units that the client could still use."""
    whole_after: float
    """Seconds after which nothing of the allowance is used."""
    retry_after: float
    """Seconds until the client has the units that were not taken."""
