"""Checks a document against rules of validation, as graphql-core's ``validate`` does, and leaves nothing behind.

graphql-core's visitors remember their own methods, so each is in a cycle. One short document leaves 300 objects like
this, for which the garbage collector would hold up the event loop. And each new visitor looks for its methods anew,
which takes much of the time to validate a document. Here they are found once for each rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache

from graphql import (
    SKIP,
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    Node,
    TypeInfo,
    visit,
)
from graphql.language import Visitor, VisitorAction
from graphql.validation import ASTValidationRule, ValidationContext
from graphql.validation.validate import (
    FragmentNestingVisitor,
    ValidationAbortedError,
    query_document_keys_to_validate,
)

_Method = Callable[..., VisitorAction]

_BELOW = {
    kind: tuple(key for key in keys if key not in ("name", "alias"))
    for kind, keys in query_document_keys_to_validate.items()
}
"""The keys below nodes of each kind, except names, which are half of all nodes. A rule looks at a name with the node
that has it."""


def broken_rules(
    schema: GraphQLSchema, document: DocumentNode, rules: Iterable[type[ASTValidationRule]], most: int
) -> list[GraphQLError]:
    """Return the errors of a document by these rules. After the ``most`` errors, one error says that there are more."""
    errors: list[GraphQLError] = []

    def note(error: GraphQLError) -> None:
        if len(errors) >= most:
            raise ValidationAbortedError(
                "Too many validation errors, error limit reached. Validation aborted."
            )
        errors.append(error)

    types = TypeInfo(schema)
    context = ValidationContext(schema, document, types, note)
    visitors: list[Visitor] = [rule(context) for rule in rules]
    fragments = {
        each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
    }
    if fragments:
        visitors.insert(0, FragmentNestingVisitor(fragments))
    all_rules = _AllRules(types, visitors)
    try:
        visit(document, all_rules, _BELOW)
    except ValidationAbortedError as error:
        # The traceback and the context are removed, because they would hold everything that was looked at.
        error.__context__ = None
        errors.append(error.with_traceback(None))
    except RecursionError:
        errors.append(ValidationAbortedError("Validation aborted."))
    finally:
        all_rules.enter_leave_map.clear()
    return errors


class _AllRules(Visitor):
    """Calls all rules at each node, as graphql-core's ``ParallelVisitor`` within a ``TypeInfoVisitor`` does.

    A rule may leave out what is below a node. No rule of the specification returns anything else.
    """

    def __init__(self, types: TypeInfo, rules: Sequence[Visitor]) -> None:
        super().__init__()
        self._types = types
        self._rules = rules
        self._left_out: list[Node | None] = [None] * len(rules)
        """For each rule the node below which it does not look."""
        self._looking: dict[str, list[tuple[int, Visitor, _Method | None, _Method | None]]] = {}
        """The rules that look at nodes of each kind: the index, the rule, and what is called before and after what is
        below the node."""

    def enter(self, node: Node, *place: object) -> None:
        """Tell the rules the types at a node, and let them look at it."""
        self._types.enter(node)
        left_out = self._left_out
        for index, rule, enter, _ in self._looking_at(node.kind):
            if enter is not None and left_out[index] is None and enter(rule, node, *place) is SKIP:
                left_out[index] = node

    def leave(self, node: Node, *place: object) -> None:
        """Let the rules look at a node after what is below it."""
        left_out = self._left_out
        for index, rule, _, leave in self._looking_at(node.kind):
            if left_out[index] is None:
                if leave is not None:
                    leave(rule, node, *place)
            elif left_out[index] is node:
                left_out[index] = None
        self._types.leave(node)

    def _looking_at(self, kind: str) -> list[tuple[int, Visitor, _Method | None, _Method | None]]:
        looking = self._looking.get(kind)
        if looking is None:
            looking = self._looking[kind] = [
                (index, rule, *methods)
                for index, rule in enumerate(self._rules)
                if (methods := _methods(type(rule), kind)) is not None  # type: ignore[arg-type] # A class is hashable.
            ]
        return looking


@cache  # It has an entry for each kind of node and each of some thirty rules.
def _methods(rule: type[Visitor], kind: str) -> tuple[_Method | None, _Method | None] | None:
    """Return what a rule calls on entering and on leaving nodes of a kind, or ``None`` if it does not look at them."""
    enter, leave = (
        getattr(rule, f"{when}_{kind}", None) or getattr(rule, when, None) for when in ("enter", "leave")
    )
    return (enter, leave) if enter or leave else None
