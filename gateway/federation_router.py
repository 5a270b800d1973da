"""Recognizes the router of a supergraph in front of the gateway, and decides what it may ask for."""

from __future__ import annotations

from dataclasses import dataclass, field
from hmac import compare_digest

from resolvers.loading import EntityBudget


@dataclass(frozen=True, slots=True)
class FederationRouter:
    """Knows the router by ``secret``, which a request needs to ask for ``_entities``. If it is empty, everyone may
    ask."""

    secret: str = field(repr=False)
    most_entities: int

    def is_known(self, shown: str | None) -> bool:
        """Return whether a request with this value in its header certainly comes from the router."""
        # The comparison takes a time that does not tell how much of the value is right.
        return bool(self.secret) and compare_digest((shown or "").encode(), self.secret.encode())

    def budget(self, shown: str | None) -> EntityBudget:
        """Return what a request with this value in its header may ask of ``_entities``."""
        allowed = not self.secret or self.is_known(shown)
        return EntityBudget(self.most_entities, allowed)
