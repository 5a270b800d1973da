"""Prints the schema as other tools read it: in the plain language, or with directives by which they compose it with
others.

================= ==================================================================================
dialect           who reads it
================= ==================================================================================
plain             clients: without what only routers use
federation        routers of Apollo Federation 2; it is what ``_service { sdl }`` answers
composite         composers by the draft of the GraphQL Composite Schemas specification (``@lookup``)
stitching         schema stitching of graphql-tools, by its stitching directives (``@merge``)
semantic-non-null clients that stop at errors, and take as non-null what is null only with one
================= ==================================================================================

All of them are made from what Strawberry prints of the one schema. The dialect of Federation is that text without
``@asOf``. The others lack federation's directives and have their own, which say the same of the same keys. Those for
clients have the directives of costs too (``schema.cost_directives``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Literal, get_args

import strawberry
from graphql import (
    DefinitionNode,
    DirectiveDefinitionNode,
    DocumentNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    NamedTypeNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    SchemaDefinitionNode,
    TypeDefinitionNode,
    parse,
    print_ast,
)

from schema.as_of import NAME as AS_OF
from schema.cost_directives import with_costs
from schema.sdl_parts import headed, with_directive
from schema.semantic_nullability import SEMANTIC_NON_NULL, Levels, semantic_levels

Dialect = Literal["plain", "federation", "composite", "stitching", "semantic-non-null"]
DIALECTS: tuple[Dialect, ...] = get_args(Dialect)


class UnknownDialect(Exception):
    """Says that no dialect has a name. The message is a sentence."""


def read_dialect(name: str) -> Dialect:
    """Return the dialect with this name.

    :raises UnknownDialect: there is none.
    """
    for dialect in DIALECTS:
        if name == dialect:
            return dialect
    *others, last = DIALECTS
    raise UnknownDialect(f'There is no dialect "{name[:50]}"; it can be {", ".join(others)} or {last}.')


_FEDERATION_NAMES = frozenset({"_Any", "_Entity", "_Service", "oneOf"})
_FEDERATION_DIRECTIVES = frozenset({"key", "shareable"})

_LOOKUPS = frozenset({"package", "grid", "category", "contributor", "node"})
"""The fields of Query that find one record by one key."""

_MERGES = {
    "packagesById": ("id", "ids"),
    "packagesBySlug": ("slug", "slugs"),
    "packagesByPypiName": ("pypiName", "names"),
    "packagesByRepoUrl": ("repoUrl", "urls"),
    "gridsById": ("id", "ids"),
    "gridsBySlug": ("slug", "slugs"),
    "category": ("slug", "slug"),
    "contributor": ("login", "login"),
}
"""The fields of Query that stitching finds records with: the key of the record, and the argument that takes it."""

_COMPOSITE_DIRECTIVES = """
"The field finds a record by the key that its arguments are."
directive @lookup on FIELD_DEFINITION
"What of the record the argument is."
directive @is(field: FieldSelectionMap!) on ARGUMENT_DEFINITION
"A key of the type."
directive @key(fields: FieldSelectionSet!) repeatable on OBJECT | INTERFACE
"Other schemas can have the field too."
directive @shareable repeatable on OBJECT | FIELD_DEFINITION
"How an argument is made of fields of a record."
scalar FieldSelectionMap
"Fields of a record."
scalar FieldSelectionSet
"""
_STITCHING_DIRECTIVES = """
"The field finds records by a key, so that they can be merged with those of other schemas."
directive @merge(
  argsExpr: String, keyArg: String, keyField: String, key: [String!], additionalArgs: String
) on FIELD_DEFINITION
"""


@lru_cache(maxsize=len(DIALECTS))
def print_dialect(schema: strawberry.Schema, dialect: Dialect) -> str:
    """Return the SDL, without a line break at its end."""
    document = parse(schema.as_str(), no_location=True)
    if dialect == "plain":
        return _printed(with_costs(_plain(document), schema._schema))
    if dialect == "semantic-non-null":
        marked = _semantic_non_null(document, semantic_levels(schema))
        return _printed(with_costs(marked, schema._schema))
    return _printed(_WRITERS[dialect](document))


def _plain(document: DocumentNode) -> DocumentNode:
    return _without_federation(document, keep=frozenset())


def _federation(document: DocumentNode) -> DocumentNode:
    """Return the document without ``@asOf``, because a router would apply it to all its subgraphs, or forward it to
    none."""
    kept = (
        each
        for each in document.definitions
        if not (isinstance(each, DirectiveDefinitionNode) and each.name.value == AS_OF)
    )
    return DocumentNode(definitions=tuple(kept))


def _composite(document: DocumentNode) -> DocumentNode:
    keys = {
        each.name.value: " | ".join(f"{{ {field.name.value} }}" for field in each.fields or ())
        for each in document.definitions
        if isinstance(each, InputObjectTypeDefinitionNode) and _is_one_of(each)
    }

    def of_query(field: FieldDefinitionNode) -> FieldDefinitionNode:
        if field.name.value not in _LOOKUPS:
            return field
        lookup = with_directive(field, "lookup")
        for argument in field.arguments or ():
            if _named_type(argument) in keys:
                # All arguments of a lookup are its key together, so this one has to be the only one.
                key = with_directive(argument, "is", field=keys[_named_type(argument)])
                assert isinstance(key.type, NamedTypeNode)
                key = replace(key, type=NonNullTypeNode(type=key.type), default_value=None)
                return replace(lookup, arguments=(key,))
        return lookup

    plain = _without_federation(_federation(document), keep=_FEDERATION_DIRECTIVES)
    return headed(_COMPOSITE_DIRECTIVES, _with_query(plain, of_query))


def _stitching(document: DocumentNode) -> DocumentNode:
    def of_query(field: FieldDefinitionNode) -> FieldDefinitionNode:
        if field.name.value not in _MERGES:
            return field
        key, argument = _MERGES[field.name.value]
        return with_directive(field, "merge", keyField=key, keyArg=argument)

    return headed(_STITCHING_DIRECTIVES, _with_query(_plain(_federation(document)), of_query))


def _semantic_non_null(document: DocumentNode, levels: Mapping[tuple[str, str], Levels]) -> DocumentNode:
    def of_type(type_: DefinitionNode) -> DefinitionNode:
        if not isinstance(type_, ObjectTypeDefinitionNode):
            return type_

        def of_field(field: FieldDefinitionNode) -> FieldDefinitionNode:
            found = levels.get((type_.name.value, field.name.value))
            if found is None:
                return field
            return with_directive(field, "semanticNonNull", **({} if found == (0,) else {"levels": found}))

        return replace(type_, fields=tuple(map(of_field, type_.fields or ())))

    plain = _plain(document)
    return headed(SEMANTIC_NON_NULL, DocumentNode(definitions=tuple(map(of_type, plain.definitions))))


_WRITERS: dict[Dialect, Callable[[DocumentNode], DocumentNode]] = {
    "federation": _federation,
    "composite": _composite,
    "stitching": _stitching,
}


# Parts of documents


def _without_federation(document: DocumentNode, keep: frozenset[str]) -> DocumentNode:
    gone = _FEDERATION_DIRECTIVES - keep

    def kept() -> Iterator[DefinitionNode]:
        for each in document.definitions:
            # The schema's own definition is there for @link alone: its roots have the usual names. That of
            # @oneOf, which is GraphQL's own, is there because Apollo's composition does not know it.
            if isinstance(each, SchemaDefinitionNode) or _name(each) in _FEDERATION_NAMES:
                continue
            if isinstance(each, ObjectTypeDefinitionNode):
                directives = tuple(one for one in each.directives or () if one.name.value not in gone)
                fields = tuple(one for one in each.fields or () if not one.name.value.startswith("_"))
                yield replace(each, directives=directives, fields=fields)
            else:
                yield each

    return DocumentNode(definitions=tuple(kept()))


def _with_query(
    document: DocumentNode, change: Callable[[FieldDefinitionNode], FieldDefinitionNode]
) -> DocumentNode:
    return DocumentNode(
        definitions=tuple(
            replace(each, fields=tuple(map(change, each.fields or ())))
            if isinstance(each, ObjectTypeDefinitionNode) and each.name.value == "Query"
            else each
            for each in document.definitions
        )
    )


def _name(definition: DefinitionNode) -> str:
    assert isinstance(definition, TypeDefinitionNode | DirectiveDefinitionNode)
    return definition.name.value


def _is_one_of(definition: DefinitionNode) -> bool:
    return isinstance(definition, InputObjectTypeDefinitionNode) and any(
        directive.name.value == "oneOf" for directive in definition.directives or ()
    )


def _named_type(argument: InputValueDefinitionNode) -> str:
    return print_ast(argument.type).strip("[]!")


def _printed(document: DocumentNode) -> str:
    """Return the document with a blank line ahead of each description inside, as Strawberry prints it."""
    lines: list[str] = []
    in_description = False
    for line in print_ast(document).splitlines():
        text = line.strip()
        if in_description:
            in_description = not text.endswith('"""')
        elif text.startswith('"""'):
            if line.startswith(" ") and not lines[-1].endswith(("{", "(")):
                lines.append("")
            in_description = text == '"""' or not text.endswith('"""')
        lines.append(line)
    return "\n".join(lines)
