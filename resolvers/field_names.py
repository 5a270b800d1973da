"""Translates the names of fields between v4, as history and the change feed have them, and this graph."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from resolvers.client_errors import BadUserInput
from upstream.client import GridRecord, PackageRecord

_OTHER_NAMES = {"stars": "repo_watchers", "forks": "repo_forks", "lastCommitAt": "last_updated"}
"""The names in the graph that are not v4's."""
_NOT_FIELDS = frozenset({"id", "unfit"})
_MAX_SHOWN = 50


def graph_name(name: str) -> str:
    """Return the name in the graph of one of v4's fields."""
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def v4_names(argument: str, names: Sequence[str], record: type[PackageRecord | GridRecord]) -> frozenset[str]:
    """Return v4's names of the fields of a record that an argument names as the graph does.

    :raises BadUserInput: there is no field of such a name, or no name.
    """
    known = _known_names(record)
    if not names:
        raise BadUserInput(f"{argument} is empty; leave it out for all fields.")
    for name in names:
        if name not in known:
            raise BadUserInput(
                f'{argument} has "{name[:_MAX_SHOWN]}"; it can have {", ".join(sorted(known))}.'
            )
    return frozenset(known[name] for name in names)


@lru_cache
def _known_names(record: type[PackageRecord | GridRecord]) -> dict[str, str]:
    fields = [name for name in record.__struct_fields__ if name not in _NOT_FIELDS]
    known = {graph_name(name): name for name in fields}
    return known | {name: field for name, field in _OTHER_NAMES.items() if field in fields}
