"""Selects the rules of validation that can say anything about a document.

graphql-core calls each of its 32 rules for each node of a document, which takes most of the time to read one. Most
rules are about something that most documents do not have. A rule that is not named here is always applied.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    specified_rules,
)
from graphql.language.ast import QUERY_DOCUMENT_KEYS
from graphql.validation import (
    ASTValidationRule,
    DeferStreamDirectiveLabel,
    DeferStreamDirectiveOnRootField,
    DeferStreamDirectiveOnValidOperationsRule,
    FragmentsOnCompositeTypesRule,
    KnownArgumentNamesRule,
    KnownDirectivesRule,
    KnownFragmentNamesRule,
    KnownTypeNamesRule,
    LoneAnonymousOperationRule,
    MaxIntrospectionDepthRule,
    NoFragmentCyclesRule,
    NoUndefinedVariablesRule,
    NoUnusedFragmentsRule,
    NoUnusedVariablesRule,
    OverlappingFieldsCanBeMergedRule,
    PossibleFragmentSpreadsRule,
    SingleFieldSubscriptionsRule,
    StreamDirectiveOnListField,
    UniqueArgumentNamesRule,
    UniqueDirectivesPerLocationRule,
    UniqueFragmentNamesRule,
    UniqueInputFieldNamesRule,
    UniqueOperationNamesRule,
    UniqueVariableNamesRule,
    ValuesOfCorrectTypeRule,
    VariablesAreInputTypesRule,
    VariablesInAllowedPositionRule,
)

FRAGMENTS = ("fragment_definition", "fragment_spread", "inline_fragment")
LITERALS = (
    "int_value",
    "float_value",
    "string_value",
    "boolean_value",
    "null_value",
    "enum_value",
    "list_value",
    "object_value",
)
SEVERAL_OPERATIONS, SUBSCRIPTION, INTROSPECTION, REPEATED_FIELD = (
    "several operations",
    "subscription",
    "introspection",
    "repeated field",
)
"""What a document can have beside its kinds of nodes: several operations, a subscription, ``__schema`` or ``__type``,
and one key twice in one pair of braces."""

ABOUT: dict[type[ASTValidationRule], tuple[str, ...]] = {
    UniqueOperationNamesRule: (SEVERAL_OPERATIONS,),
    LoneAnonymousOperationRule: (SEVERAL_OPERATIONS,),
    SingleFieldSubscriptionsRule: (SUBSCRIPTION,),
    KnownTypeNamesRule: ("named_type",),
    FragmentsOnCompositeTypesRule: FRAGMENTS,
    VariablesAreInputTypesRule: ("variable_definition",),
    UniqueFragmentNamesRule: ("fragment_definition",),
    KnownFragmentNamesRule: ("fragment_spread",),
    NoUnusedFragmentsRule: ("fragment_definition",),
    PossibleFragmentSpreadsRule: FRAGMENTS,
    NoFragmentCyclesRule: ("fragment_definition",),
    UniqueVariableNamesRule: ("variable_definition",),
    NoUndefinedVariablesRule: ("variable",),
    NoUnusedVariablesRule: ("variable_definition",),
    KnownDirectivesRule: ("directive",),
    UniqueDirectivesPerLocationRule: ("directive",),
    DeferStreamDirectiveOnRootField: ("directive",),
    DeferStreamDirectiveOnValidOperationsRule: ("directive",),
    DeferStreamDirectiveLabel: ("directive",),
    StreamDirectiveOnListField: ("directive",),
    KnownArgumentNamesRule: ("argument", "fragment_argument"),
    UniqueArgumentNamesRule: ("argument", "fragment_argument"),
    ValuesOfCorrectTypeRule: LITERALS,
    VariablesInAllowedPositionRule: ("variable",),
    OverlappingFieldsCanBeMergedRule: (*FRAGMENTS, REPEATED_FIELD),
    UniqueInputFieldNamesRule: ("object_value",),
    MaxIntrospectionDepthRule: (INTROSPECTION,),
}
"""What each rule is about. A rule has nothing to say about a document without any of these."""


_BELOW = {
    kind: tuple(key for key in keys if key not in ("name", "alias", "description"))
    for kind, keys in QUERY_DOCUMENT_KEYS.items()
}
"""The keys below nodes of each kind, except names."""


def applicable_rules(parts: Set[str]) -> Sequence[type[ASTValidationRule]]:
    """Return the rules of the specification that can say anything about a document with these parts, in their order."""
    return [
        rule for rule in specified_rules if rule not in ABOUT or any(map(parts.__contains__, ABOUT[rule]))
    ]


def parts_of(document: DocumentNode) -> set[str]:
    """Return the kinds of nodes that a document has, and what it has beside, with a part for each directive's name."""
    parts: set[str] = set()
    operations = 0
    waiting: list[object] = list(document.definitions)
    while waiting:
        node = waiting.pop()
        kind: str = node.kind  # type: ignore[attr-defined]
        parts.add(kind)
        for key in _BELOW.get(kind, ()):
            below = getattr(node, key)
            if below.__class__ is tuple:
                waiting += below
            elif below is not None:
                waiting.append(below)
        if isinstance(node, FieldNode):
            if node.name.value in ("__schema", "__type"):
                parts.add(INTROSPECTION)
        elif isinstance(node, DirectiveNode):
            parts.add(directive_part(node.name.value))
        elif isinstance(node, SelectionSetNode):
            if _repeats_a_field(node):
                parts.add(REPEATED_FIELD)
        elif isinstance(node, OperationDefinitionNode):
            operations += 1
            if node.operation is OperationType.SUBSCRIPTION:
                parts.add(SUBSCRIPTION)
    if operations > 1:
        parts.add(SEVERAL_OPERATIONS)
    return parts


def directive_part(name: str) -> str:
    """Return the part that a document with this directive has."""
    return f"@{name}"


def _repeats_a_field(selected: SelectionSetNode) -> bool:
    keys = [(node.alias or node.name).value for node in selected.selections if isinstance(node, FieldNode)]
    return len(set(keys)) < len(keys)
