"""Holds the engine of one schema: its cached plans, and what it counts."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping
from typing import Any

import msgspec
import strawberry
from graphql import DocumentNode, GraphQLError
from graphql.execution.values import VariableValues
from strawberry.extensions import SchemaExtension
from strawberry.extensions.directives import DirectivesExtension

from engine.answer_subtree_cache import AnswerSubtreeCache
from engine.event_loop_yielding import turns
from engine.fallback_reasons import Fallback, FallbackReason
from engine.field_failures import AnswerEncoder, errors_in
from engine.field_info import InfoMaker
from engine.input_coercion import InputTypes
from engine.plan_execution import answers
from engine.plan_nodes import Plan
from engine.plan_printing import dump, outline
from engine.planned_operation import KnownPlan, PlannedOperation
from engine.run_errors import AnswerTooLarge, Stopped
from engine.run_limits import NO_LIMITS
from engine.run_spans import SpanMaker, untraced
from engine.run_state import PlanRun
from engine.runtime_types import RuntimeTypes
from engine.shared_inputs import SharedInputs
from engine.step_costs import Spend, uncounted
from engine.synchronous_run import MustWait, at_once

CACHED_OPERATIONS = 1000
"""How many operations are cached with their plans. The least recently used ones are dropped."""

CACHED_TEXT = 400_000
"""Characters of the cached operations' documents, all together: for each a plan takes about 150 bytes of memory."""

CACHED_FIELDS = 8_000
"""Fields in the cached plans, all together: about 1,500 bytes of memory each, and up to six objects that the garbage
collector looks through in one piece. A short document can have many, by its fragments and its conditions."""

_Operations = OrderedDict[tuple[str, str | None], PlannedOperation | FallbackReason]
_HOOKS = ("on_operation", "on_execute", "resolve", "get_results")


class Ran(msgspec.Struct, frozen=True):
    """Holds the result of an operation: its data as JSON, and the errors of its fields, each with a path."""

    data: bytes
    errors: list[GraphQLError]
    known_records: int
    """How many records relations found without waiting."""


class Engine:
    """Runs operations of one schema. ``most_bytes`` is what an answer may have, and ``span`` traces the runs.

    ``fallbacks`` counts by reason the operations that it could not run.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        most_bytes: int = NO_LIMITS.answer_bytes,
        span: SpanMaker = untraced,
        cached: int = CACHED_OPERATIONS,
        cached_text: int = CACHED_TEXT,
        cached_fields: int = CACHED_FIELDS,
    ) -> None:
        self.types = RuntimeTypes(schema._schema)
        """The types of the objects in all runs."""
        self.shared = SharedInputs()
        self._of_schema = InfoMaker(schema), self.types, InputTypes(), self.shared
        self._most_bytes = most_bytes
        self._span = span
        self._encoder = AnswerEncoder()
        self._cached, self._cached_text, self._cached_fields = cached, cached_text, cached_fields
        self._operations: _Operations = OrderedDict()
        """The operations that were used last. ``caching`` is not used, because the engine imports no room and
        operations grow by plans."""
        self._text = self._fields = 0
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
        literals: Mapping[str, Any] | None = None,
        subtrees: AnswerSubtreeCache | None = None,
    ) -> Ran:
        """Return the result of an operation of a validated document. ``text`` is the text of the document.

        ``spend`` counts steps of work, and stops the operation when they are too many. ``literals`` are the values of
        those variables of the document that take the places of literals; no operation declares them. ``subtrees`` are
        those of the catalog in ``context``.

        :raises Stopped: it may not go on.
        :raises Fallback: only Strawberry's own execution answers this correctly.
        """
        try:
            operation = self.operation(text, document, operation_name)
            values = operation.coerced(variables)
            plan = operation.known_plan(values) or await self.compiled(operation, values)
            run = self._begun(values, context, spend, literals, subtrees)
            ran = await _ran(plan, run)
        except Stopped as stopped:
            stopped.used_subtrees = run.used_subtrees
            raise
        except Fallback as error:
            self.fallbacks[error.reason] += 1
            raise
        except Exception as error:
            # A resolver raised it, or graphql-core did about a value that is none of its type.
            self.fallbacks["error"] += 1
            raise Fallback("error") from error
        self.answered += 1
        return ran

    def known_plan(
        self, text: str, operation_name: str | None, variables: dict[str, Any] | None
    ) -> KnownPlan | None:
        """Return the plan of an operation with these variables; ``None`` if it is not known, or there is none."""
        key = text, operation_name
        operation = self._operations.get(key)
        if not isinstance(operation, PlannedOperation):
            return None
        self._operations.move_to_end(key)
        return operation.known(variables)

    def run_at_once(
        self,
        known: KnownPlan,
        context: object,
        spend: Spend,
        literals: Mapping[str, Any] | None,
        subtrees: AnswerSubtreeCache | None,
        most_bytes: int,
    ) -> bytes | None:
        """Return the data that :meth:`run` gives, without waiting and untraced. ``None``, and nothing counted, if that
        cannot be: something would have to wait, a field failed or the operation may not go on."""
        run = self._begun(known.values, context, spend, literals, subtrees)
        run.may_wait, run.most_bytes = False, min(run.most_bytes, most_bytes)
        try:
            data, has_failures = self._encoder.whole(at_once(answers(known.plan.root, run)))
        except (Exception, MustWait, Stopped):
            return None  # the other way meets it again, and tells it
        is_whole = not has_failures and len(data) <= run.most_bytes
        self.answered += is_whole
        return data if is_whole else None

    def _begun(
        self,
        values: VariableValues,
        context: object,
        spend: Spend,
        literals: Mapping[str, Any] | None,
        subtrees: AnswerSubtreeCache | None,
    ) -> PlanRun:
        run = PlanRun(
            values,
            context,
            self.types,
            self._most_bytes,
            self._encoder,
            spend=spend,
            subtrees=subtrees,
            span=self._span,
        )
        if literals:
            run.declared = values.coerced
            run.variables = VariableValues(values.sources, {**values.coerced, **literals})
        return run

    def explain(
        self, text: str, document: DocumentNode, operation_name: str | None, variables: dict[str, Any] | None
    ) -> str:
        """Return the plan of an operation and its generated source, to be read.

        :raises Fallback: there is none.
        """
        operation = self.operation(text, document, operation_name)
        return dump(operation.plan(operation.coerced(variables)))

    async def outline(
        self,
        text: str,
        document: DocumentNode,
        operation_name: str | None,
        variables: dict[str, Any] | None,
        most: int,
    ) -> list[str]:
        """Return the plan of an operation in lines, of up to ``most`` characters altogether.

        :raises Fallback: there is none.
        """
        operation = self.operation(text, document, operation_name)
        values = operation.coerced(variables)
        return outline(operation.known_plan(values) or await self.compiled(operation, values), most)

    def operation(self, text: str, document: DocumentNode, name: str | None) -> PlannedOperation:
        """Return the operation, cached from the last time or looked at anew.

        :raises Fallback: the engine runs none like it.
        """
        key = text, name
        operation = self._operations.get(key)
        if operation is None:
            try:
                if not self._usable:
                    raise Fallback("extension")
                operation = PlannedOperation(*self._of_schema, document, name)
            except Fallback as error:
                operation = error.reason
            self._operations[key] = operation
            self._text += len(text)
            while len(self._operations) > self._cached or self._text > self._cached_text:
                self._forget_one()
        else:
            self._operations.move_to_end(key)
        if not isinstance(operation, PlannedOperation):
            raise Fallback(operation)
        return operation

    async def compiled(self, operation: PlannedOperation, values: VariableValues) -> Plan:
        """Compile the plan in several turns of the event loop, and keep it in place of those used longest ago."""
        steps = operation.compile(values)
        with self._span("graphql.plan"):
            while True:
                try:
                    next(steps)
                except StopIteration as end:
                    plan: Plan = end.value
                    break
                if turns().is_over():
                    await turns().next()
        if operation.is_cached:
            self._fields += operation.fields - operation.counted
            operation.counted = operation.fields
        while self._fields > self._cached_fields:
            self._forget_one()
        return plan

    def _forget_one(self) -> None:
        (text, _name), last = self._operations.popitem(last=False)
        self._text -= len(text)
        if isinstance(last, PlannedOperation):
            self._fields -= last.counted
            last.is_cached = False


def _takes_part(extension: SchemaExtension) -> bool:
    """Return whether an extension does something while an operation runs, which the engine would leave out."""
    if isinstance(extension, DirectivesExtension):
        return False  # it serves directives that the engine leaves to Strawberry
    return any(getattr(type(extension), hook) is not getattr(SchemaExtension, hook) for hook in _HOOKS)


async def _ran(plan: Plan, run: PlanRun) -> Ran:
    with run.span("graphql.execute"):
        answer = await answers(plan.root, run)
    with run.span("graphql.serialize"):
        data, has_failures = run.encoder.whole(answer)
    if len(data) > run.most_bytes:
        raise Stopped(AnswerTooLarge(run.most_bytes, len(data)))
    errors = await errors_in(answer, run.most_bytes, run.spend) if has_failures else []
    return Ran(data, errors, run.known_records)
