"""The engine of one schema: its plans, kept, and what it counts."""

from __future__ import annotations

from collections import Counter, OrderedDict
from typing import Any

import msgspec
import strawberry
from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    OperationDefinitionNode,
    Undefined,
    get_variable_values,
)
from graphql.execution.values import VariableValues
from strawberry.extensions import SchemaExtension
from strawberry.extensions.directives import DirectivesExtension

from engine.fallback import Fallback, FallbackReason
from engine.field_failures import AnswerEncoder, errors_in
from engine.plan_compiler import Compiler
from engine.plan_execution import answers
from engine.plan_nodes import PlanNode
from engine.plan_printing import dump
from engine.plan_run import PlanRun
from engine.run_limits import DEFAULT_RUN_LIMITS
from engine.skip_include import condition_variables
from engine.work_steps import Spend, uncounted

KEPT_OPERATIONS = 1000
"""How many operations are kept, with their plans: those used last."""

KEPT_TEXT = 400_000
"""Characters of the kept operations' documents, all together: for each a plan takes about 150 bytes of memory."""

KEPT_FIELDS = 100_000
"""Fields in the kept plans, all together: about 1,500 bytes of memory each. A short document can have many, by its
fragments and its conditions."""

_NO_VARIABLES = VariableValues({}, {})
_HOOKS = ("on_operation", "on_execute", "resolve", "get_results")


class Ran(msgspec.Struct, frozen=True):
    """What an operation gave: its data as JSON, and the errors of its fields, each with a path."""

    data: bytes
    errors: list[GraphQLError]
    known_records: int
    """How many records relations found without waiting."""


class Engine:
    """Runs operations of one schema. ``most_bytes`` is what an answer may have.

    ``fallbacks`` counts by reason those that it could not run."""

    def __init__(
        self,
        schema: strawberry.Schema,
        most_bytes: int = DEFAULT_RUN_LIMITS.answer_bytes,
        kept: int = KEPT_OPERATIONS,
        kept_text: int = KEPT_TEXT,
        kept_fields: int = KEPT_FIELDS,
    ) -> None:
        self._schema = schema
        self._most_bytes = most_bytes
        self._encoder = AnswerEncoder()
        self._kept, self._kept_text, self._kept_fields = kept, kept_text, kept_fields
        self._operations: OrderedDict[tuple[str, str | None], PlannedOperation | FallbackReason] = (
            OrderedDict()
        )
        self._text = 0
        self._usable = not any(map(_takes_part, schema.get_extensions()))
        self.answered = 0
        self.fallbacks: Counter[FallbackReason] = Counter()

    async def run(
        self,
        text: str,
        document: DocumentNode,
        operation_name: str | None,
        variables: dict[str, Any] | None,
        context: object,
        spend: Spend = uncounted,
    ) -> Ran:
        """What an operation of a validated document gives. ``text`` is the document's.

        ``spend`` counts steps of work, and stops the operation when they are too many.

        :raises Stopped: it may not go on.
        :raises Fallback: only Strawberry's own execution answers this rightly.
        """
        try:
            operation = self.operation(text, document, operation_name)
            values = operation.coerced(variables)
            before = operation.fields()
            try:
                request = PlanRun(values, context, self._most_bytes, self._encoder, spend=spend)
                answer = await answers(operation.plan(values), request)
                data, has_failures = self._encoder.whole(answer)
                errors = await errors_in(answer, self._most_bytes, spend) if has_failures else []
            finally:
                if operation.fields() > before:
                    self._make_room()
        except Fallback as error:
            self.fallbacks[error.reason] += 1
            raise
        except Exception as error:
            # A resolver's, or graphql-core's about a value that is none of its type.
            self.fallbacks["error"] += 1
            raise Fallback("error") from error
        self.answered += 1
        return Ran(data, errors, request.known_records)

    def explain(
        self, text: str, document: DocumentNode, operation_name: str | None, variables: dict[str, Any] | None
    ) -> str:
        """The plan of an operation and its generated source, to be read.

        :raises Fallback: there is none.
        """
        operation = self.operation(text, document, operation_name)
        return dump(operation.plan(operation.coerced(variables)))

    def operation(self, text: str, document: DocumentNode, name: str | None) -> PlannedOperation:
        """The operation, kept from the last time or looked at anew.

        :raises Fallback: the engine runs none like it.
        """
        key = text, name
        operation = self._operations.get(key)
        if operation is None:
            try:
                if not self._usable:
                    raise Fallback("extension")
                operation = PlannedOperation(self._schema, document, name)
            except Fallback as error:
                operation = error.reason
            self._operations[key] = operation
            self._text += len(text)
            while len(self._operations) > self._kept or self._text > self._kept_text:
                self._forget_one()
        else:
            self._operations.move_to_end(key)
        if not isinstance(operation, PlannedOperation):
            raise Fallback(operation)
        return operation

    def _make_room(self) -> None:
        # Counted anew: plans grow while they run, and seldom.
        fields = sum(
            each.fields() for each in self._operations.values() if isinstance(each, PlannedOperation)
        )
        while fields > self._kept_fields:
            last = self._forget_one()
            fields -= last.fields() if isinstance(last, PlannedOperation) else 0

    def _forget_one(self) -> PlannedOperation | FallbackReason:
        (text, _name), last = self._operations.popitem(last=False)
        self._text -= len(text)
        return last


class PlannedOperation:
    """An operation and its plans: one for each combination of values in its conditions."""

    MOST_PLANS = 16
    """More are compiled for each request anew."""

    def __init__(self, schema: strawberry.Schema, document: DocumentNode, name: str | None) -> None:
        self._schema = schema
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._operation = _named_operation(document, name)
        self._conditions = condition_variables(self._operation, self._fragments)
        self._plans: dict[tuple[object, ...], PlanNode] = {}
        self._compilers: list[Compiler] = []

    @property
    def plans_kept(self) -> int:
        """How many plans there are."""
        return len(self._plans)

    def fields(self) -> int:
        """How many fields the kept plans have: a plan node is compiled when the first objects come there."""
        return sum([compiler.fields for compiler in self._compilers])

    def coerced(self, variables: dict[str, Any] | None) -> VariableValues:
        """The values of the operation's variables.

        :raises Fallback: they do not fit.
        """
        definitions = self._operation.variable_definitions
        if not definitions:
            return _NO_VARIABLES
        values = get_variable_values(self._schema._schema, definitions, variables or {}, max_errors=1)
        if isinstance(values, list):
            raise Fallback("variables")
        return values

    def plan(self, values: VariableValues) -> PlanNode:
        """The plan for these values of the variables."""
        key = tuple([values.coerced.get(name, Undefined) for name in self._conditions])
        node = self._plans.get(key)
        if node is None:
            if not all(isinstance(value, bool) for value in key):
                raise Fallback("variables")
            known = VariableValues(
                {name: values.sources[name] for name in self._conditions},
                dict(zip(self._conditions, key, strict=True)),
            )
            compiler = Compiler(self._schema, self._operation, self._fragments, known)
            node = compiler.root()
            if len(self._plans) < self.MOST_PLANS:
                self._plans[key] = node
                self._compilers.append(compiler)
        return node


def _named_operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode) and (
            name is None or (definition.name and definition.name.value == name)
        ):
            return definition
    raise ValueError(f"there is no operation named {name}")


def _takes_part(extension: SchemaExtension) -> bool:
    """Whether an extension does something while an operation runs, which the engine would leave out."""
    if isinstance(extension, DirectivesExtension):
        return False  # it serves directives that the engine leaves to Strawberry
    return any(getattr(type(extension), hook) is not getattr(SchemaExtension, hook) for hook in _HOOKS)
