"""The router of a supergraph in front of the gateway: how it is known, and what it may ask for."""

from __future__ import annotations

from dataclasses import dataclass, field
from hmac import compare_digest

from resolvers.loading import EntityBudget


@dataclass(frozen=True, slots=True)
class FederationRouter:
    """``secret`` is what a request needs to ask for ``_entities``; empty, everyone may."""

    secret: str = field(repr=False)
    most_entities: int

    def is_known(self, shown: str | None) -> bool:
        """Return whether a request that shows this in its header comes from the router for certain."""
        # Compared in a time that does not tell how much of it is right.
        return bool(self.secret) and compare_digest((shown or "").encode(), self.secret.encode())

    def budget(self, shown: str | None) -> EntityBudget:
        """Return what a request may ask of ``_entities`` that shows this in its header."""
        allowed = not self.secret or self.is_known(shown)
        return EntityBudget(self.most_entities, allowed)
