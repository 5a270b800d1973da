"""Compiles operations once, and runs them level by level over all objects of a level. It knows no type by name.

The engine imports no other room. It offers:

- ``Engine`` for the gateway, which returns ``Ran``, or raises ``Fallback`` with the reason why Strawberry's own
  execution of the same schema has to answer instead;
- ``RunLimits``, and the errors that end a run beyond them, whichever way it is run;
- the protocols of relations, which resolvers implement, and ``decided_by_class``, which types of the schema declare;
- ``SharedInput``, an input that is read once for many requests, and ``ReusedValue``, which resolvers make once;
- the ``ByteBudget`` that caches share, and ``AnswerSubtreeCache``, which is one of them;
- the ``turns`` of the event loop, which all long work shares.

``docs/engine.md`` follows an operation from its text to the bytes of its answer.
"""

from engine.answer_subtree_cache import AnswerSubtreeCache
from engine.cache_memory_budget import BudgetEntry, ByteBudget
from engine.engine import Engine, Ran
from engine.event_loop_yielding import AtTurn, InTurn, turns
from engine.fallback_reasons import Fallback, FallbackReason
from engine.field_dependencies import EVERYTHING, DependsOn, declared, depends_on, of_field
from engine.planned_operation import KnownPlan
from engine.relation_protocols import ListsByKey, RecordId, RelationToMany, RelationToOne
from engine.run_errors import AnswerTooLarge, OutOfTime, Stopped, TooComplex
from engine.run_limits import NO_LIMITS, RunLimits
from engine.shared_inputs import SharedInput
from engine.step_costs import ERROR, Spend, uncounted
from engine.synchronous_run import MustWait, at_once
from engine.type_declarations import decided_by_class
from engine.value_subtree_cache import ReusedValue

__all__ = [
    "ERROR",
    "EVERYTHING",
    "NO_LIMITS",
    "AnswerSubtreeCache",
    "AnswerTooLarge",
    "AtTurn",
    "BudgetEntry",
    "ByteBudget",
    "DependsOn",
    "Engine",
    "Fallback",
    "FallbackReason",
    "InTurn",
    "KnownPlan",
    "ListsByKey",
    "MustWait",
    "OutOfTime",
    "Ran",
    "RecordId",
    "RelationToMany",
    "RelationToOne",
    "ReusedValue",
    "RunLimits",
    "SharedInput",
    "Spend",
    "Stopped",
    "TooComplex",
    "at_once",
    "decided_by_class",
    "declared",
    "depends_on",
    "of_field",
    "turns",
    "uncounted",
]
