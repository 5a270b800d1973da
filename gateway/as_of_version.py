"""Finds the version of the catalog from which a query with ``@asOf`` is answered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from graphql import GraphQLError, NullValueNode, StringValueNode, ValueNode, VariableNode

from catalog import CatalogSource
from catalog.history import CatalogVersion, VersionUnknown
from resolvers import BadUserInput
from schema import AsOfDirective, schema

SETTLED = timedelta(minutes=1)
"""How old a moment must be so that no version can be stored for it any more. A save takes a fraction of that."""

_VERSION = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class AsOf:
    """Holds the version that a query is answered from, and the moment as of which it is answered."""

    version: CatalogVersion
    moment: datetime
    is_settled: bool
    """Whether the same ``@asOf`` means the same version for ever."""


async def find_as_of(
    directive: AsOfDirective, variables: Mapping[str, Any] | None, source: CatalogSource
) -> AsOf:
    """Return what a directive asks for.

    :raises BadUserInput: its arguments make no sense, or history does not reach there.
    :raises HistoryDamaged: what is stored of the version cannot be read.
    :raises StorageUnavailable: the storage cannot be read.
    """
    values = {
        argument.name.value: _value(argument.value, directive, variables or {})
        for argument in directive.node.arguments or ()
    }
    time, version = values.get("time"), values.get("version")
    if (time is None) == (version is None):
        raise BadUserInput(
            f"@asOf takes exactly one of time and version; it got {'none' if time is None else 'time and version'}."
        )
    try:
        if version is not None:
            if not isinstance(version, str) or not _VERSION.fullmatch(version):
                raise BadUserInput(
                    "@asOf(version:) is not a version; a version has 32 hexadecimal digits, as in catalog { version }."
                )
            found = await source.older.named(version)
            return AsOf(found, found.at, is_settled=True)
        moment = _moment(time)
        found = await source.older.at(moment)
        return AsOf(found, moment, is_settled=moment < datetime.now(UTC) - SETTLED)
    except VersionUnknown as error:
        raise BadUserInput(str(error)) from None


def _value(node: ValueNode, directive: AsOfDirective, variables: Mapping[str, Any]) -> Any:
    if isinstance(node, VariableNode):
        name = node.name.value
        if name in variables:
            return variables[name]
        default = next(each.default_value for each in directive.variables if each.variable.name.value == name)
        return None if default is None else _value(default, directive, variables)
    if isinstance(node, StringValueNode):
        return node.value
    assert isinstance(node, NullValueNode)  # it was validated
    return None


def _moment(value: Any) -> datetime:
    scalar: Any = schema._schema.type_map["DateTime"]
    try:
        moment: datetime = scalar.parse_value(value)
        # A moment without an offset is in UTC.
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except GraphQLError as error:
        raise BadUserInput(f"@asOf(time:) is no moment. {error.message}") from None
    except OverflowError:
        raise BadUserInput("@asOf(time:) is no moment of the years 1 to 9999 in UTC.") from None
