"""Compiles one operation of a validated document into plan nodes.

graphql-core's own ``collect_fields`` decides which fields there are, their order, and how they are merged. The outcome
depends only on the variables in ``@skip`` and ``@include``, so a plan is good for all requests in which these have the
same values.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeAlias, TypeVar

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
)
from graphql.execution.collect_fields import (
    FieldDetailsList,
    FragmentDetails,
    GroupedFieldSet,
    collect_fields,
    collect_subfields,
)
from graphql.execution.values import VariableValues

from engine.cacheable_fields import cacheable_arguments
from engine.code_generation import BuildSource
from engine.field_info import FieldInfo, InfoMaker
from engine.field_sources import Attribute, Related
from engine.plan_nodes import Column, Plan, PlanNode, Selection, Shape
from engine.runtime_types import RuntimeTypes
from engine.selection_signature_building import SignatureBuilder
from engine.selection_signatures import Arguments
from engine.shared_inputs import SharedInputs
from engine.step_costs import LEAVES, OBJECT
from engine.strawberry_fields import AskedField, source_of

T = TypeVar("T")

_TYPENAME = "__typename"

ITEMS_OF_A_LIST = 50
"""How many leaves a list such as ``commitsOver52`` has; lists of logins are shorter in the mean, and hundreds
at most."""


PlanSteps: TypeAlias = Generator[None, None, T]
"""The work of compiling in short steps, one for each plan node, so that the event loop can turn in between."""


class Compiler:
    """Compiles one operation into a plan."""

    def __init__(
        self,
        infos: InfoMaker,
        types: RuntimeTypes,
        operation: OperationDefinitionNode,
        fragments: dict[str, FragmentDefinitionNode],
        conditions: VariableValues,
        shared: SharedInputs,
    ) -> None:
        self._schema = infos.schema
        self._shared = shared
        self._types = types
        self._graphql = self._schema._schema
        self._infos = infos
        self._operation = operation
        self._definitions = fragments
        self._fragments = {name: FragmentDetails(fragment) for name, fragment in fragments.items()}
        self._conditions = conditions
        self._fields = 0
        self._nodes: dict[tuple[GraphQLObjectType, tuple[int, ...]], PlanNode] = {}
        """The nodes compiled so far by their type and the fields of the text that lead there: a fragment in two
        places, or a field of an interface, is compiled once."""

    def plan(self) -> PlanSteps[Plan]:
        """Yield the plan of the operation."""
        query = self._graphql.query_type
        assert query is not None
        collected = collect_fields(self._graphql, self._fragments, self._conditions, query, self._operation)
        root = yield from self._node(query, collected.grouped_field_set, at_root=True)
        return Plan(root, self._fields)

    def _below(self, asked: FieldDetailsList, type_: GraphQLObjectType) -> PlanSteps[PlanNode]:
        key = type_, tuple([id(details.node) for details in asked])
        node = self._nodes.get(key)
        if node is not None:
            return node
        collected = collect_subfields(
            self._graphql, self._fragments, self._conditions, self._operation, type_, asked
        )
        node = self._nodes[key] = yield from self._node(type_, collected.grouped_field_set, at_root=False)
        return node

    def _node(self, type_: GraphQLObjectType, fields: GroupedFieldSet, at_root: bool) -> PlanSteps[PlanNode]:
        yield
        self._fields += len(fields)
        columns: list[Column] = []
        build, signature = BuildSource(type_), SignatureBuilder(type_)
        for key, asked in fields.items():
            name = asked[0].node.name.value
            if name == _TYPENAME:
                build.constant(key, name, type_.name)
                signature.add(key, name, ())
                continue
            column, cacheable = yield from self._field(build, key, asked, type_, at_root)
            if column is None:
                signature.add(key, name, cacheable)
            else:
                signature.add_column(name, cacheable, len(columns), column)
                columns.append(column)
        selections = tuple(
            (number, column.selection) for number, column in enumerate(columns) if column.selection
        )
        relations = [
            (column.source.relation, column.selection)
            for column in columns
            if isinstance(column.source, Related)
            and column.selection
            and _leads_to_relations(column.selection)
        ]
        direct = tuple(relations) if len(relations) == len(columns) else None
        weight = sum(_weight(self._graphql, type_, asked[0].node) for asked in fields.values())
        steps = OBJECT + weight // LEAVES
        return PlanNode(
            type_,
            tuple(columns),
            selections,
            direct,
            build.function(),
            tuple(fields),
            weight,
            signature.signature(steps, weight),
            steps,
        )

    def _field(
        self, build: BuildSource, key: str, asked: FieldDetailsList, parent: GraphQLObjectType, at_root: bool
    ) -> PlanSteps[tuple[Column | None, Arguments | None]]:
        """Yield the column of a field, None if ``build`` reads the value from the object itself; and the arguments
        of the field if it is cacheable."""
        name = asked[0].node.name.value
        definition = self._graphql.get_field(parent, name)
        assert definition is not None
        nodes = tuple([details.node for details in asked])
        info_for = FieldInfo(
            self._infos, self._operation, self._definitions, definition, nodes, parent, key, at_root
        )
        field = AskedField(definition, asked[0].node, info_for)
        source = source_of(field, self._schema, self._shared)
        # A handler of exceptions may say anything in the place of a value.
        cacheable = None if self._schema.exception_handlers else cacheable_arguments(field, source)
        shape, named_type = Shape.of(definition.type)
        if not is_leaf_type(named_type):
            by = source.attribute if isinstance(source, Related) and source.is_to_one else None
            if by is None:
                build.column(key, name)
            else:
                build.column_by_key(key, name, by)
            node_of = {}
            for type_ in self._types.possible(named_type):
                node_of[type_] = yield from self._below(asked, type_)
            return Column(key, source, Selection(shape, by, named_type, node_of, info_for, nodes)), cacheable
        if isinstance(source, Attribute) and source.name.isidentifier():
            build.attribute(key, definition.type, source.name, nodes)
            return None, cacheable
        build.column_of_leaves(key, definition.type, name, nodes)
        return Column(key, source, None), cacheable


def _leads_to_relations(selection: Selection) -> bool:
    return all(node.relations is not None for node in selection.node_of.values())


def _weight(schema: GraphQLSchema, parent: GraphQLObjectType, node: FieldNode) -> int:
    """Return about how many values a field has. A list of leaves has many."""
    definition = schema.get_field(parent, node.name.value)
    assert definition is not None
    type_ = definition.type
    if not is_leaf_type(get_named_type(type_)):
        return 1
    return 1 if is_leaf_type(get_nullable_type(type_)) else ITEMS_OF_A_LIST
