"""Limits the values that an answer has in all its lists, by an estimate. Lists in lists multiply: a document of 150
bytes had an answer of 600 MB, and one with another list inside had an answer that no memory could hold."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from engine import TooComplex
from gateway.limits.document_limits import MOST_SAID
from gateway.limits.document_tree import Definition, Tree
from resolvers.lists import DEFAULT_PAGE, MAX_PAGE, Length, ListSizes
from resolvers.loading import MOST_KEYS
from schema import schema

OTHER = Length(10, 10)
"""The size of a list that is not in the catalog, such as the fields of a change."""


def check_values(tree: Tree, most: int, sizes: ListSizes) -> None:
    """Check that the answer to a document has at most ``most`` values, by estimate.

    A page counts as ``first`` or ``last``, or as 100 if that is a variable. A list of keys counts as its keys. Any
    other list counts as the longest of its kind in the catalog; where there are several, the others count as lists of
    usual length.

    :raises TooComplex: it may have more.
    """
    counts: dict[Definition, _Count] = {}
    for definition in tree.definitions:
        node = definition.node
        type_ = (
            schema._schema.get_root_type(node.operation)
            if isinstance(node, OperationDefinitionNode)
            else schema._schema.get_type(node.type_condition.name.value)
        )
        counts[definition] = _Estimate(tree, counts, sizes).values(node.selection_set, type_)
    count = min(max((counts[root].of(1) for root in tree.roots), default=0), MOST_SAID)
    if count > most:
        sentence = (
            f"The answer could have {count:,} values, with lists as long as those of the catalog; {most:,} "
            "are allowed. "
            "Ask for shorter pages or fewer nested lists."
        )
        raise TooComplex(sentence, "values", most, count)


class _Count(NamedTuple):
    """Counts the values below some objects: ``each`` for every object, and ``more`` in addition."""

    each: float
    more: float

    def of(self, objects: int) -> int:
        return ceil(min(self.each * objects + self.more, MOST_SAID))

    def plus(self, other: _Count) -> _Count:
        return _Count(self.each + other.each, self.more + other.more)

    def in_lists(self, length: Length) -> _Count:
        """Return the count below the items of lists that the objects have. One list is the longest, the others are
        usual."""
        return _Count(self.each * length.usual, self.more + self.each * (length.longest - length.usual))


_ONE = _Count(1, 0)


@dataclass(frozen=True, slots=True)
class _Estimate:
    tree: Tree
    counts: dict[Definition, _Count]
    """The counts of the fragments that are spread."""
    sizes: ListSizes

    def values(self, selection_set: SelectionSetNode, type_: GraphQLNamedType | None) -> _Count:
        total = _Count(0, 0)
        for node in selection_set.selections:
            if isinstance(node, FieldNode):
                total = total.plus(self._values_of(node, type_))
            elif isinstance(node, FragmentSpreadNode):
                fragment = self.tree.fragments.get(id(node))
                total = total.plus(self.counts[fragment]) if fragment else total
            else:
                condition = node.type_condition  # type: ignore[attr-defined]
                on = schema._schema.get_type(condition.name.value) if condition else type_
                total = total.plus(self.values(node.selection_set, on))  # type: ignore[attr-defined]
        return total

    def _values_of(self, node: FieldNode, parent: GraphQLNamedType | None) -> _Count:
        fields = parent.fields if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else {}
        field = fields.get(node.name.value)
        if field is None or parent is None:
            return _ONE  # what is unknown is refused by validation, and introspection has a limit there
        length = self._length(node, field, parent, is_page="pageInfo" in fields)
        if node.selection_set is None:
            return _ONE if length is None else _ONE.in_lists(length)
        below = self.values(node.selection_set, get_named_type(field.type))
        return _ONE.plus(below if length is None else below.in_lists(length))

    def _length(
        self, node: FieldNode, field: GraphQLField, parent: GraphQLNamedType, *, is_page: bool
    ) -> Length | None:
        """Return about how many items a list field has."""
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        if "first" in field.args:
            asked = given.get("first", given.get("last"))
            if asked is None:
                default = field.args["first"].default_value
                return _of(default if isinstance(default, int) else DEFAULT_PAGE)
            # What has more digits than the largest page cannot be asked for; an empty page costs something too.
            if isinstance(asked, IntValueNode) and len(asked.value) <= len(str(MAX_PAGE)):
                return _of(min(max(int(asked.value), 1), MAX_PAGE))
            return _of(MAX_PAGE)
        if is_page or not is_list_type(get_nullable_type(field.type)):
            return None
        for name, argument in field.args.items():
            if is_list_type(get_nullable_type(argument.type)):
                keys = given.get(name)
                return _of(len(keys.values) if isinstance(keys, ListValueNode) else MOST_KEYS)
        return self.sizes.get((parent.name, node.name.value), OTHER)


def _of(length: int) -> Length:
    return Length(length, length)
