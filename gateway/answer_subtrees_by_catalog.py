"""Holds the cached subtrees of answers of each catalog that requests are answered from."""

from __future__ import annotations

from operator import attrgetter
from typing import Any
from weakref import ref

from catalog import Catalog
from engine import AnswerSubtreeCache, BudgetEntry, ByteBudget


class AnswerSubtreesByCatalog:
    """Stores subtrees with the catalog that they were made from, within a budget that other caches share.

    No catalog ever has a subtree of another one. Subtrees are freed with their catalog, and the budget is told when the
    next catalog gets its first.
    """

    def __init__(self, budget: ByteBudget) -> None:
        self._budget = budget
        self._all: list[tuple[ref[AnswerSubtreeCache], dict[Any, BudgetEntry]]] = []

    def of(self, catalog: Catalog) -> AnswerSubtreeCache:
        """Return the subtrees of a catalog."""
        return catalog.view(self._new)

    def _new(self, catalog: Catalog) -> AnswerSubtreeCache:
        freed = [entries for cached, entries in self._all if cached() is None]
        for entry in [entry for entries in freed for entry in entries.values()]:
            self._budget.forget(entry)
        subtrees = new_subtrees(catalog, self._budget)
        self._all = [(cached, entries) for cached, entries in self._all if cached() is not None]
        self._all.append((ref(subtrees), subtrees.entries))
        return subtrees


def new_subtrees(catalog: Catalog, budget: ByteBudget) -> AnswerSubtreeCache:
    """Return a place for subtrees that are made from a catalog."""
    # It gets the records and not the catalog, because nothing in the cache may lead back to the catalog.
    records = {"Package": catalog.packages, "Grid": catalog.grids, "Category": catalog.categories}
    return AnswerSubtreeCache(records, attrgetter("id"), budget)
