"""The composite dialect keeps the rules of the draft (GraphQL Composite Schemas, section 4) that concern one schema.

No composer for it is on npm, so its rules about ``@lookup``, ``@is`` and ``@key`` are here.
"""

from __future__ import annotations

from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    parse,
)

from schema import sdl

BUILT = build_schema(sdl("composite"))


def directives(node: Any) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for each in node.directives or ():
        values = {argument.name.value: argument.value.value for argument in each.arguments or ()}
        found.setdefault(each.name.value, []).append(values)
    return found


def lookups() -> dict[str, GraphQLField]:
    assert BUILT.query_type is not None
    return {
        name: field
        for name, field in BUILT.query_type.fields.items()
        if "lookup" in directives(field.ast_node)
    }


def entities(field: GraphQLField) -> list[GraphQLObjectType]:
    type_: Any = get_named_type(field.type)
    return list(BUILT.get_possible_types(type_)) if is_abstract_type(type_) else [type_]


def keys(field: GraphQLField) -> dict[str, object]:
    """Return the fields of the entity that the argument of a lookup can be, with the types that it has for
    them."""
    ((name, argument),) = field.args.items()
    type_ = get_named_type(argument.type)
    mapped = directives(argument.ast_node).get("is")
    if mapped is None:
        return {name: type_}
    assert isinstance(type_, GraphQLInputObjectType)
    assert type_.is_one_of
    names = [each.strip().strip("{}").strip() for each in mapped[0]["field"].split("|")]
    assert names == list(type_.fields)
    return {name: get_named_type(type_.fields[name].type) for name in names}


def test_a_lookup_gives_one_record_or_null() -> None:
    assert list(lookups()) == ["package", "grid", "category", "contributor", "node"]
    for field in lookups().values():
        assert not is_list_type(field.type)
        assert not is_non_null_type(field.type)


def test_a_lookup_has_one_argument_that_each_of_its_types_has_as_a_field() -> None:
    for field in lookups().values():
        ((_, argument),) = field.args.items()
        assert is_non_null_type(argument.type)
        for type_ in entities(field):
            for name, of in keys(field).items():
                assert get_named_type(type_.fields[name].type) is of


def test_every_key_is_a_leaf_that_some_lookup_takes() -> None:
    for name in ("Package", "Grid", "Category", "Contributor"):
        type_ = BUILT.type_map[name]
        assert isinstance(type_, GraphQLObjectType)
        declared = {key["fields"] for key in directives(type_.ast_node)["key"]}
        assert all(is_leaf_type(get_named_type(type_.fields[key].type)) for key in declared)
        assert declared == {
            key for field in lookups().values() if type_ in entities(field) for key in keys(field)
        }


def test_page_info_is_shareable() -> None:
    (page_info,) = (each for each in parse(sdl("composite")).definitions if each.name.value == "PageInfo")  # type: ignore[attr-defined]
    assert directives(page_info) == {"shareable": [{}]}
