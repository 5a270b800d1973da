"""Holds the cost of an operation, as it is predicted and as it is counted."""

from __future__ import annotations

import msgspec


class OperationCost(msgspec.Struct, frozen=True, gc=False):
    """Holds the cost of one operation.

    A unit is the work for one object of an answer, about two microseconds of processor time. An operation costs one
    unit, one more for each object of its answer, the weight of each field and filter that has one
    (``schema.field_costs``) as often as it is answered, and 1,000 units for each request to Django Packages. Leaves
    cost nothing beside their object. ``docs/cost.md`` tells clients how to compute it.
    """

    units: int
    values: int
    """The values of the answer: every field of every object, and every item of a list of leaves."""
    records: int
    """The different packages, grids, categories and contributors in the answer."""
    bytes: int
    """The bytes of the answer before compression."""
    upstream_requests: int
    """The requests to Django Packages for what the catalog does not have."""

    def told(self) -> dict[str, int]:
        """Return the cost as clients see it."""
        return {
            "units": self.units,
            "values": self.values,
            "records": self.records,
            "bytes": self.bytes,
            "upstreamRequests": self.upstream_requests,
        }
