"""Makes what the resolvers of a field are told of the operation, as graphql-core's executor does."""

from __future__ import annotations

from typing import Any

import msgspec
import strawberry
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLString,
    NameNode,
    OperationDefinitionNode,
    default_field_resolver,
    default_type_resolver,
    parse,
)
from graphql.execution.values import VariableValues
from graphql.pyutils import Path
from strawberry.execution.is_awaitable import optimized_is_awaitable

from engine.fallback_reasons import Fallback
from engine.run_state import PlanRun

_OF_FIELD = (
    "field_name",
    "field_nodes",
    "return_type",
    "parent_type",
    "path",
    "operation",
    "fragments",
    "variable_values",
    "context",
)
"""What differs in the infos of fields and runs."""

(_NO_OPERATION,) = parse("{ __typename }", no_location=True).definitions


class InfoMaker:
    """Makes the infos of one schema, with an executor that runs nothing. The executor is a hundred objects in cycles,
    so there is one for all operations."""

    def __init__(self, schema: strawberry.Schema) -> None:
        self.schema = schema
        make_executor: Any = schema.execution_context_class
        executor = make_executor(
            schema._schema,
            {},
            {},
            None,
            None,
            _NO_OPERATION,
            VariableValues({}, {}),
            default_field_resolver,
            default_type_resolver,
            default_field_resolver,
            is_awaitable=optimized_is_awaitable,
            operation_extensions=None,
        )
        field: Any = GraphQLField(GraphQLString)
        info = executor.build_resolve_info(field, [FieldNode(name=NameNode(value=""))], None, None)
        self._class = type(info)
        self._same = list(info)
        """What an info holds. Most of it is the same for all fields and runs."""
        self._places = tuple(map(info._fields.index, _OF_FIELD))

    def info(self, field: FieldInfo, run: PlanRun) -> GraphQLResolveInfo[Any]:
        """Return the info of a field in a run."""
        given = self._same.copy()
        name, nodes, type_, parent, path, operation, fragments, variables, context = self._places
        given[name] = field.nodes[0].name.value
        given[nodes] = list(field.nodes)
        given[type_], given[parent] = field.definition.type, field.parent
        given[path] = (Path if field.is_at_root else UnknownPath)(None, field.key, field.parent.name)
        given[operation], given[fragments] = field.operation, field.fragments
        given[variables] = run.variables.coerced if run.declared is None else run.declared
        given[context] = run.context
        # It is made as a tuple, because the executor would take five times as long for it.
        told: GraphQLResolveInfo[Any] = tuple.__new__(self._class, given)
        return told


class FieldInfo(msgspec.Struct, frozen=True, eq=False, gc=False):
    """Makes the info of one field of a plan for each run."""

    maker: InfoMaker
    operation: OperationDefinitionNode
    fragments: dict[str, FragmentDefinitionNode]
    definition: GraphQLField
    nodes: tuple[FieldNode, ...]
    parent: GraphQLObjectType
    key: str
    is_at_root: bool

    def __call__(self, run: PlanRun) -> GraphQLResolveInfo[Any]:
        """Return the info in this run."""
        return self.maker.info(self, run)


class UnknownPath(Path):
    """Stands for the path of a field below the root, which the engine does not track."""

    @property
    def prev(self) -> Path | None:
        """Refuse, because the engine does not track paths."""
        raise Fallback("path")

    def as_list(self) -> list[str | int]:
        """Refuse, because the engine does not track paths."""
        raise Fallback("path")
