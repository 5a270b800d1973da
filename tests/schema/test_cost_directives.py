"""Tests ``@cost`` and ``@listSize`` in the SDL: a client that knows nothing else computes the same cost as the
gateway."""

from __future__ import annotations

from math import ceil
from typing import Any

import pytest
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLSchema,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    build_schema,
    get_directive_values,
    get_named_type,
    is_leaf_type,
    parse,
    validate,
)

from resolvers.lists import USUAL_SIZES
from resolvers.lists.list_sizes import Length
from schema import Dialect, sdl
from tests.support.predicted_costs import averages_of, predicted

CLIENTS: tuple[Dialect, ...] = ("plain", "semantic-non-null")
QUERIES = [
    "{ packages(first: 7) { totalCount edges { node { title grids { title packages { title } } } } } }",
    "{ categories { packages(last: 3) { nodes { participants contributors { login } } } mostStarred { title } } }",
    '{ search(query: "a") { nodes { __typename } pageInfo { endCursor } } }',
    '{ packages(filter: {text: "a"}) { nodes { history(last: 4) { at } relatedPackages { sharedGrids { title } } } } }',
    "{ stats { byCategory { packageCount } newest(first: 9) { commitActivity { weekly } } } }",
    '{ ...F } fragment F on Query { grids { nodes { mostActive { title } compare(slugs: ["a"]) { starsRank } } } }',
]


@pytest.fixture(scope="module", params=CLIENTS)
def read(request: pytest.FixtureRequest) -> GraphQLSchema:
    return build_schema(sdl(request.param))


class Client:
    """Computes the cost of an operation from a schema in SDL alone, as docs/cost.md says it."""

    def __init__(self, schema: GraphQLSchema, text: str) -> None:
        document = parse(text)
        assert validate(schema, document) == []
        self._schema = schema
        self._fragments = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }
        (self._operation,) = (
            each for each in document.definitions if isinstance(each, OperationDefinitionNode)
        )

    def units(self) -> float:
        return 1 + self._below(self._operation.selection_set, self._schema.query_type, 1, {})

    def _below(self, selected: SelectionSetNode, type_: Any, objects: float, sized: dict[str, int]) -> float:
        units = 0.0
        for node in selected.selections:
            if isinstance(node, FieldNode):
                if node.name.value != "__typename":
                    units += self._field(node, type_, objects, sized)
                continue
            name = getattr(node, "name", None)
            fragment: Any = node if name is None else self._fragments[name.value]
            condition = fragment.type_condition
            inner = self._schema.get_type(condition.name.value) if condition else type_
            units += self._below(fragment.selection_set, inner, objects, sized)
        return units

    def _field(self, node: FieldNode, type_: Any, objects: float, sized: dict[str, int]) -> float:
        field = type_.fields[node.name.value]
        units = objects * self._weight(field)
        for argument in node.arguments or ():
            units += objects * self._weight(field.args[argument.name.value])
        size = self._values(field, "listSize")
        items = sized.get(node.name.value, 1)
        below: dict[str, int] = {}
        if size is not None:
            items = size["assumedSize"]
            for argument in node.arguments or ():
                if isinstance(argument.value, ListValueNode) and not size.get("slicingArguments"):
                    items = len(argument.value.values)
                if argument.name.value in size.get("slicingArguments", []):
                    assert isinstance(argument.value, IntValueNode)
                    items = int(argument.value.value)
            if size.get("sizedFields"):
                below, items = dict.fromkeys(size["sizedFields"], items), 1
        if is_leaf_type(get_named_type(field.type)):
            return units
        assert node.selection_set is not None
        units += objects * items
        return units + self._below(node.selection_set, get_named_type(field.type), objects * items, below)

    def _weight(self, definition: Any) -> float:
        cost = self._values(definition, "cost")
        return 0 if cost is None else float(cost["weight"])

    def _values(self, definition: Any, name: str) -> dict[str, Any] | None:
        directive = self._schema.get_directive(name)
        assert directive is not None
        return get_directive_values(directive, definition.ast_node)


SAME = averages_of({names: Length.same(ceil(length.mean)) for names, length in USUAL_SIZES.items()})
"""The lengths that the SDL says, for every list of a kind alike."""


@pytest.mark.parametrize("text", QUERIES)
def test_a_client_computes_the_same_units_from_the_sdl_alone(read: GraphQLSchema, text: str) -> None:
    assert Client(read, text).units() == predicted(text, SAME).cost.units


@pytest.mark.parametrize("dialect", ["federation", "composite", "stitching"])
def test_composers_do_not_see_the_directives(dialect: Dialect) -> None:
    assert not any(name in sdl(dialect) for name in ("@cost", "@listSize"))


def test_both_directives_are_described_as_the_draft_has_them(read: GraphQLSchema) -> None:
    cost, size = read.get_directive("cost"), read.get_directive("listSize")
    assert cost is not None
    assert size is not None
    assert {name: str(each.type) for name, each in cost.args.items()} == {"weight": "String!"}
    assert {name: str(each.type) for name, each in size.args.items()} == {
        "assumedSize": "Int",
        "slicingArguments": "[String!]",
        "sizedFields": "[String!]",
        "requireOneSlicingArgument": "Boolean",
    }
    for directive in (cost, size):
        assert directive.description
        assert all(each.description for each in directive.args.values())
