"""Holds the cached pieces of answers of each catalog that requests are answered from."""

from __future__ import annotations

from operator import attrgetter
from typing import Any
from weakref import ref

from catalog import Catalog
from engine import AnswerPieceCache, BudgetEntry, ByteBudget


class AnswerPiecesByCatalog:
    """Stores pieces with the catalog that they were made from, within a budget that other caches share.

    No catalog ever has a piece of another one. Pieces are freed with their catalog, and the budget is told when the
    next catalog gets its first.
    """

    def __init__(self, budget: ByteBudget) -> None:
        self._budget = budget
        self._all: list[tuple[ref[AnswerPieceCache], dict[Any, BudgetEntry]]] = []

    def of(self, catalog: Catalog) -> AnswerPieceCache:
        """Return the pieces of a catalog."""
        return catalog.view(self._new)

    def _new(self, catalog: Catalog) -> AnswerPieceCache:
        freed = [entries for cached, entries in self._all if cached() is None]
        for entry in [entry for entries in freed for entry in entries.values()]:
            self._budget.forget(entry)
        pieces = new_pieces(catalog, self._budget)
        self._all = [(cached, entries) for cached, entries in self._all if cached() is not None]
        self._all.append((ref(pieces), pieces.entries))
        return pieces


def new_pieces(catalog: Catalog, budget: ByteBudget) -> AnswerPieceCache:
    """Return a place for pieces that are made from a catalog."""
    # It gets the records and not the catalog, because nothing in the cache may lead back to the catalog.
    records = {"Package": catalog.packages, "Grid": catalog.grids, "Category": catalog.categories}
    return AnswerPieceCache(records, attrgetter("id"), budget)
