"""Checks a document against rules of validation, as graphql-core's ``validate`` does, and leaves nothing behind.

graphql-core's visitors remember their own methods, so each is in a cycle. One short document leaves 300 objects like
this, for which the garbage collector would hold up the event loop. Here they forget these methods in the end.
"""

from __future__ import annotations

from collections.abc import Iterable

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    ParallelVisitor,
    TypeInfo,
    TypeInfoVisitor,
    visit,
)
from graphql.language import Visitor
from graphql.validation import ASTValidationRule, ValidationContext
from graphql.validation.validate import (
    FragmentNestingVisitor,
    ValidationAbortedError,
    query_document_keys_to_validate,
)


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
    all_rules = ParallelVisitor(visitors)
    with_types = TypeInfoVisitor(types, all_rules)
    try:
        visit(document, with_types, query_document_keys_to_validate)
    except ValidationAbortedError as error:
        # The traceback and the context are removed, because they would hold everything that was looked at.
        error.__context__ = None
        errors.append(error.with_traceback(None))
    except RecursionError:
        errors.append(ValidationAbortedError("Validation aborted."))
    finally:
        for visitor in (with_types, all_rules, *visitors):
            visitor.enter_leave_map.clear()
    return errors
