"""Tests the memory that caches share: what makes room, and what is forgotten with what."""

from __future__ import annotations

from engine import BudgetEntry, ByteBudget


class Names:
    """A cache that keeps names."""

    def __init__(self, budget: ByteBudget) -> None:
        self.budget = budget
        self.kept: dict[str, BudgetEntry] = {}

    def keep(self, name: str, size: int, whole: str | None = None) -> bool:
        entry = BudgetEntry(lambda: self.kept.pop(name), self.kept.get(whole or ""))
        if not self.budget.keep(entry, size):
            return False
        self.kept[name] = entry
        return True


def test_what_was_used_last_stays_whichever_cache_has_it() -> None:
    budget = ByteBudget(100)
    one, other = Names(budget), Names(budget)
    for name in "abcde":
        one.keep(name, 10)
        other.keep(name, 10)
    budget.touch(one.kept["a"])
    assert other.keep("f", 10)
    assert (budget.taken, list(one.kept), list(other.kept)) == (100, list("abcde"), list("bcdef"))
    assert other.keep("g", 10)
    assert list(one.kept) == list("acde")


def test_a_part_is_forgotten_with_its_whole_and_alone() -> None:
    budget = ByteBudget(1000)
    names = Names(budget)
    names.keep("whole", 50)
    names.keep("part", 20, "whole")
    names.keep("part of the part", 20, "part")
    names.keep("other part", 10, "whole")
    budget.forget(names.kept["part"])
    assert (list(names.kept), budget.taken) == (["whole", "other part"], 60)
    budget.forget(names.kept["whole"])
    assert (names.kept, budget.taken) == ({}, 0)


def test_to_use_a_part_is_to_use_its_whole() -> None:
    budget = ByteBudget(80)
    names = Names(budget)
    names.keep("whole", 10)
    names.keep("part", 10, "whole")
    for name in "abcdef":
        names.keep(name, 10)
    budget.touch(names.kept["part"])
    names.keep("g", 10)
    assert list(names.kept) == ["whole", "part", *"bcdefg"]


def test_nothing_is_a_part_of_what_is_gone() -> None:
    budget = ByteBudget(1000)
    names = Names(budget)
    names.keep("whole", 10)
    whole = names.kept["whole"]
    budget.forget(whole)
    assert not budget.keep(BudgetEntry(bool, whole), 10)
    assert budget.taken == 0


def test_what_is_larger_than_an_eighth_is_not_kept() -> None:
    budget = ByteBudget(800)
    names = Names(budget)
    assert names.keep("a", 100)
    assert not names.keep("b", 101)
    assert budget.taken == 100


def test_nothing_is_kept_without_room() -> None:
    assert not ByteBudget(0).keep(BudgetEntry(bool), 1)


def test_to_forget_what_is_gone_changes_nothing() -> None:
    budget = ByteBudget(1000)
    names = Names(budget)
    names.keep("a", 10)
    entry = names.kept["a"]
    budget.forget(entry)
    budget.forget(entry)
    assert budget.taken == 0


def test_an_entry_that_grows_makes_others_room_and_is_used_last() -> None:
    budget = ByteBudget(100)
    names = Names(budget)
    for name in "abcd":
        names.keep(name, 10)
    budget.grow(names.kept["a"], 70)
    assert (list(names.kept), budget.taken) == (["a", "c", "d"], 100)
    budget.grow(names.kept["a"], 1)
    assert (list(names.kept), budget.taken) == (["a", "d"], 91)


def test_an_entry_that_outgrows_the_budget_is_forgotten() -> None:
    budget = ByteBudget(100)
    names = Names(budget)
    names.keep("a", 10)
    names.keep("b", 10)
    budget.grow(names.kept["a"], 91)
    assert (names.kept, budget.taken) == ({}, 0)
