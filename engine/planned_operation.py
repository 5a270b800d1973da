"""Holds one operation of a document, with the plans that were compiled for it."""

from __future__ import annotations

from typing import Any

import msgspec
from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    OperationDefinitionNode,
    Undefined,
)
from graphql.execution.values import VariableValues

from engine.fallback_reasons import Fallback
from engine.field_info import InfoMaker
from engine.input_coercion import InputTypes
from engine.plan_compiler import Compiler, PlanSteps
from engine.plan_nodes import Plan
from engine.runtime_types import RuntimeTypes
from engine.shared_inputs import SharedInputs
from engine.skip_and_include import condition_variables
from engine.variable_values import OperationVariables


class KnownPlan(msgspec.Struct, frozen=True, eq=False):
    """The plan of an operation for these values of its variables."""

    plan: Plan
    values: VariableValues


class PlannedOperation:
    """Holds an operation and its plans, one for each combination of values in its conditions."""

    MAX_PLANS = 16
    """How many plans are cached. Further plans are compiled for each request anew."""

    def __init__(
        self,
        infos: InfoMaker,
        types: RuntimeTypes,
        inputs: InputTypes,
        shared: SharedInputs,
        document: DocumentNode,
        name: str | None,
    ) -> None:
        self._types = types
        self._shared = shared
        self._infos = infos
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._operation = _named_operation(document, name)
        self._conditions = condition_variables(self._operation, self._fragments)
        self._variables = OperationVariables(
            infos.schema._schema, self._operation.variable_definitions, inputs
        )
        self._plans: dict[tuple[object, ...], Plan] = {}
        self.fields = 0
        """The fields of the cached plans, all together."""
        self.counted = 0
        """How many of them the engine has counted."""
        self.is_cached = True

    @property
    def plans_cached(self) -> int:
        """Return how many plans there are."""
        return len(self._plans)

    def coerced(self, variables: dict[str, Any] | None) -> VariableValues:
        """Return the values of the operation's variables.

        :raises Fallback: they do not fit.
        """
        values = self._variables.values(variables)
        if values is None:
            raise Fallback("variables")
        return values

    def known_plan(self, values: VariableValues) -> Plan | None:
        """Return the plan for these values of the variables, if it is cached."""
        return self._plans.get(self._key(values))

    def known(self, variables: dict[str, Any] | None) -> KnownPlan | None:
        """Return the plan for these variables; ``None`` if it is not cached, or they do not fit."""
        values = self._variables.values(variables)
        plan = None if values is None else self._plans.get(self._key(values))
        return None if plan is None or values is None else KnownPlan(plan, values)

    def plan(self, values: VariableValues) -> Plan:
        """Return the plan for these values of the variables, compiled without a pause if it is not cached.

        :raises Fallback: a condition is null.
        """
        plan = self.known_plan(values)
        if plan is None:
            steps = self.compile(values)
            while plan is None:
                try:
                    next(steps)
                except StopIteration as end:
                    plan = end.value
        return plan

    def compile(self, values: VariableValues) -> PlanSteps[Plan]:
        """Compile the plan for these values of the variables, and keep it.

        :raises Fallback: a condition is null.
        """
        key = self._key(values)
        if not all(isinstance(value, bool) for value in key):
            raise Fallback("variables")
        conditions = VariableValues(
            {name: values.sources[name] for name in self._conditions},
            dict(zip(self._conditions, key, strict=True)),
        )
        compiler = Compiler(
            self._infos, self._types, self._operation, self._fragments, conditions, self._shared
        )
        plan = yield from compiler.plan()
        # Another request may have compiled the same in the meantime.
        if len(self._plans) < self.MAX_PLANS and key not in self._plans:
            self._plans[key] = plan
            self.fields += plan.fields
        return self._plans.get(key, plan)

    def _key(self, values: VariableValues) -> tuple[object, ...]:
        return tuple([values.coerced.get(name, Undefined) for name in self._conditions])


def _named_operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode) and (
            name is None or (definition.name and definition.name.value == name)
        ):
            return definition
    raise ValueError(f"there is no operation named {name}")
