"""Values: what an answer has in all its lists, estimated. Lists in lists multiply: a document of 150 bytes had an
answer of 600 MB, and with one more list in it one that no memory holds."""

from __future__ import annotations

from dataclasses import dataclass

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

from resolvers.errors import TooComplex
from resolvers.lookup import MOST_KEYS
from resolvers.pagination import DEFAULT_PAGE, MAX_PAGE
from schema import schema
from web.limits.limits import MOST_SAID
from web.limits.tree import Definition, Tree

RELATED = 10
"""Items of a list without pages and keys, such as the packages of a grid: the catalogue's grids have 12 on average."""


def check_values(tree: Tree, most: int) -> None:
    """Let a document pass whose answer is estimated to have at most so many values.

    A page counts as what ``first`` or ``last`` says, or 100 where a variable says it; a list of keys as the keys.

    :raises TooComplex: it may have more.
    """
    counts: dict[Definition, int] = {}
    for definition in tree.definitions:
        node = definition.node
        type_ = (
            schema._schema.get_root_type(node.operation)
            if isinstance(node, OperationDefinitionNode)
            else schema._schema.get_type(node.type_condition.name.value)
        )
        counts[definition] = _Estimate(tree, counts).values(node.selection_set, type_)
    count = min(max((counts[root] for root in tree.roots), default=0), MOST_SAID)
    if count > most:
        sentence = (
            f"The answer may have {count:,} values, {RELATED} in each list without pages; {most:,} are allowed. "
            "Ask for shorter pages, or for fewer lists in lists."
        )
        raise TooComplex(sentence, "values", most, count)


@dataclass(frozen=True, slots=True)
class _Estimate:
    tree: Tree
    counts: dict[Definition, int]
    """Of the fragments that are spread."""

    def values(self, selection_set: SelectionSetNode, type_: GraphQLNamedType | None) -> int:
        total = 0
        for node in selection_set.selections:
            if isinstance(node, FieldNode):
                total += self._values_of(node, type_)
            elif isinstance(node, FragmentSpreadNode):
                fragment = self.tree.fragments.get(id(node))
                total += self.counts[fragment] if fragment else 0
            else:
                condition = node.type_condition  # type: ignore[attr-defined]
                on = schema._schema.get_type(condition.name.value) if condition else type_
                total += self.values(node.selection_set, on)  # type: ignore[attr-defined]
        return total

    def _values_of(self, node: FieldNode, parent: GraphQLNamedType | None) -> int:
        fields = parent.fields if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else {}
        field = fields.get(node.name.value)
        if field is None or node.selection_set is None:
            return 1  # what is unknown is refused by validation, and introspection has a limit there
        times = _items(node, field, is_page="pageInfo" in fields)
        return 1 + times * self.values(node.selection_set, get_named_type(field.type))


def _items(node: FieldNode, field: GraphQLField, *, is_page: bool) -> int:
    """How many objects are in a field, about."""
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    if "first" in field.args:
        asked = given.get("first", given.get("last"))
        if asked is None:
            return DEFAULT_PAGE
        # What has more digits than the largest page cannot be asked for.
        if isinstance(asked, IntValueNode) and len(asked.value) <= len(str(MAX_PAGE)):
            return min(max(int(asked.value), 0), MAX_PAGE)
        return MAX_PAGE
    if is_page or not is_list_type(get_nullable_type(field.type)):
        return 1
    for name, argument in field.args.items():
        if is_list_type(get_nullable_type(argument.type)):
            keys = given.get(name)
            return len(keys.values) if isinstance(keys, ListValueNode) else MOST_KEYS
    return RELATED
