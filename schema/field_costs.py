"""Lists what the fields of the graph cost, and how long their lists are: the numbers behind every prediction of a cost.

The same numbers are in the SDL, as the directives ``@cost`` and ``@listSize`` of the draft "GraphQL Cost Directives"
(https://ibm.github.io/graphql-specs/cost-spec.html). One unit is the work for one object, about two microseconds of
processor time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from graphql import (
    GraphQLField,
    GraphQLInt,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from resolvers.lists import DEFAULT_PAGE

FIELD_WEIGHTS: Mapping[tuple[str, str], int] = {
    # The index is asked for each word, and all results are ranked.
    ("Query", "search"): 500,
    # These read the storage.
    ("Query", "changes"): 500,
    ("Query", "trending"): 500,
    ("Query", "removedPackages"): 500,
    ("Package", "history"): 100,
    ("Grid", "history"): 100,
    # These look at many records for each object.
    ("Category", "packages"): 100,
    ("Category", "mostStarred"): 100,
    ("Contributor", "coContributors"): 300,
    ("Package", "relatedPackages"): 20,
    ("Grid", "mostActive"): 20,
    ("Grid", "compare"): 20,
}
"""The units of fields beyond those of the objects that they return: by type and field, for each object that has the
field. They are the steps of ``resolvers.work_budget``, measured with the demo's 5,400 packages and rounded."""

FILTER_WEIGHT = 100
"""The units of a filter, each time that a field is answered with one, because the rows of the whole table are
compared."""

INTROSPECTION_WEIGHTS: Mapping[str, int] = {"__schema": 1000, "__type": 100}
"""The units of introspection. No directive can give them, because no schema declares these fields."""

UPSTREAM_REQUEST = 1000
"""The units of one request to Django Packages, which takes it ten milliseconds to a second."""

ASKS_ALWAYS = frozenset({("Query", "search")})
"""The fields that ask Django Packages whatever the catalog has."""

_SLICING = ("first", "last")


class ListLength(NamedTuple):
    """Says by which arguments clients set the length of a field's list.

    A list whose length no argument sets is as long as in the catalog (``resolvers.lists.list_sizes``).
    """

    slicing: tuple[str, ...] = ()
    """The arguments that are a number of items. At most one of them can be given."""
    default: int = 0
    """The number of items if none is given."""
    keys: str | None = None
    """The argument that is a list of keys, with an item for each."""
    sized: tuple[str, ...] = ()
    """The lists of the object that the field returns, which are that long; none if the field is the list itself."""


def list_length(field: GraphQLField) -> ListLength | None:
    """Return what the arguments of a field say of the length of its list; ``None`` if they say nothing."""
    returned = get_named_type(field.type)
    is_list = is_list_type(get_nullable_type(field.type))
    sized = () if is_list else sized_fields(returned)
    if not is_list and not sized:
        return None
    slicing = tuple(name for name in _SLICING if _is_int(field, name))
    if slicing:
        default = field.args[slicing[0]].default_value
        return ListLength(slicing, default if isinstance(default, int) else DEFAULT_PAGE, sized=sized)
    keys = [name for name, each in field.args.items() if is_list_type(get_nullable_type(each.type))]
    return ListLength(keys=keys[0]) if keys else None


def sized_fields(type_: GraphQLNamedType) -> tuple[str, ...]:
    """Return the lists of a connection, which are as long as the page; none of any other type."""
    if not isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) or "pageInfo" not in type_.fields:
        return ()
    return tuple(name for name, each in type_.fields.items() if is_list_type(get_nullable_type(each.type)))


def _is_int(field: GraphQLField, name: str) -> bool:
    return name in field.args and get_nullable_type(field.args[name].type) is GraphQLInt
