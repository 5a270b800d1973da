"""A document is judged as by graphql-core with all rules of validation: those left out would have said nothing."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from random import Random

import pytest
from graphql import (
    GraphQLSyntaxError,
    UniqueDirectivesPerLocationRule,
    parse,
    specified_rules,
    validate,
)

from gateway.rule_checking import broken_rules
from gateway.validation_rule_selection import ABOUT, applicable_rules, parts_of
from schema import schema
from tests.support.gateway_operations import GENERATOR
from tests.support.numbers_of_examples import operations
from tests.support.texts_of_one_shape import with_other_literals

OPERATIONS = operations(300)
MOST = 20
WRONG = [
    "{ a }",
    "{ package }",
    "{ catalog { version { x } } }",
    "{ package(slug: 1) { title } }",
    '{ package(slug: "x", slug: "y") { title } }',
    "{ package(by: {slug: 1}) { title } }",
    '{ package(by: {slug: "a", slug: "b"}) { title } }',
    '{ package(by: {slug: "a", id: "b"}) { title } }',
    "{ packages(orderBy: NONE) { totalCount } }",
    "{ packages(filter: {missing: [NONE]}) { totalCount } }",
    "{ packages(first: null, x: 1) { totalCount } }",
    "{ packages(first: true) { totalCount } }",
    "{ packages(first: 1.5) { totalCount } }",
    "{ packages(first: []) { totalCount } }",
    "{ node { id } }",
    "{ search { totalCount } }",
    '{ package(slug: "x") { title } package(slug: "y") { title } }',
    '{ x: package(slug: "x") { title } x: grid(slug: "x") { title } }',
    '{ package(slug: "x") { a: title a: slug } }',
    '{ package(slug: "x") { ...F } } fragment F on Package { title slug: title slug }',
    '{ package(slug: "x") { ... on Package { a: slug } a: title } }',
    '{ package(slug: "x") { ... on Grid { slug } } }',
    '{ package(slug: "x") { ... on None { slug } } }',
    '{ package(slug: "x") { ... on PackageOrder { slug } } }',
    '{ package(slug: "x") { ...F } } fragment F on PackageKey { slug }',
    '{ package(slug: "x") { ...F } }',
    "{ catalog { version } } fragment F on Package { slug }",
    "{ catalog { version } } fragment F on Package { slug } fragment F on Package { title }",
    '{ package(slug: "x") { ...F } } fragment F on Package { grids { packages { ...F } } }',
    "query A { catalog { version } } query A { catalog { version } }",
    "{ catalog { version } } query A { catalog { version } }",
    "{ catalog { version } } { catalog { version } }",
    "mutation { a }",
    "subscription { catalogChanged { action } a: catalogChanged { action } }",
    "subscription { __typename }",
    "type A { a: Int }",
    "{ catalog { version } } extend type Query { a: Int }",
    "fragment F on Package { slug }",
    "query ($a: None) { catalog { version } }",
    "query ($a: Package) { package(slug: $a) { slug } }",
    "query ($a: String, $a: String) { package(slug: $a) { slug } }",
    "query ($a: String) { catalog { version } }",
    "{ package(slug: $a) { slug } }",
    "{ package(by: {slug: $a}) { slug } }",
    "query ($a: Int) { package(slug: $a) { slug } }",
    "query ($a: [String]) { packagesBySlug(slugs: $a) { slug } }",
    "query ($a: PackageKey = {slug: 5}) { package(by: $a) { slug } }",
    'query ($a: Int = "x") { package(databaseId: $a) { slug } }',
    "query ($a: String) { package(by: {slug: $a}) { slug } }",
    "{ catalog @none { version } }",
    "{ catalog @skip { version } }",
    "{ catalog @skip(if: 1) { version } }",
    "{ catalog @skip(if: true, unless: true) { version } }",
    "{ catalog @skip(if: true) @skip(if: true) { version } }",
    "query @skip(if: true) { catalog { version } }",
    "query ($a: Int @none) { package(databaseId: $a) { slug } }",
    "{ ... @defer(label: $a) { catalog { version } } }",
    '{ ... @defer(label: "a") { catalog { version } } ... @defer(label: "a") { categories { slug } } }',
    "subscription { ... @defer { catalogChanged { action } } }",
    "{ catalog { version @stream } }",
    "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
    "{ __type(name: 5) { name } }",
    "{ a b c d e f g h i j k l m n o p q r s t u v }",
    "{ catalog(a: 1, a: 2) @skip { a } }",
    "".join(f"fragment F{n} on Query {{ ...F{n + 1} }} " for n in range(300)) + "{ ...F0 }",
]


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_said_as_by_all_rules(text: str) -> None:
    expected = _said_by_all_rules(text)
    assert expected
    assert _errors(text) == expected


def test_random_documents_are_judged_as_by_all_rules() -> None:
    outcomes: Counter[bool] = Counter()
    for seed in range(OPERATIONS):
        draws = Random(seed)
        text = _spoilt(with_other_literals(str(GENERATOR.operation(seed)), draws), draws)
        try:
            expected = _said_by_all_rules(text)
        except GraphQLSyntaxError:
            continue
        assert _errors(text) == expected, text
        outcomes[bool(expected)] += 1
    assert outcomes[True] > OPERATIONS / 4
    assert outcomes[False] > OPERATIONS / 15


@pytest.mark.parametrize("text", WRONG)
def test_each_rule_says_what_it_says_to_graphql_core(text: str) -> None:
    document = parse(text)
    said = broken_rules(schema._schema, document, specified_rules, MOST)
    assert [dict(error.formatted) for error in said] == _said_by_all_rules(text)


def test_few_rules_apply_to_a_plain_operation() -> None:
    applied = applicable_rules(parts_of(parse('{ package(slug: "x") { title } }')))
    assert len(applied) == 8
    assert len(specified_rules) == 32


def test_no_rule_looks_at_names_which_are_not_visited() -> None:
    looks = ("enter", "leave", "enter_name", "leave_name")
    looking = {rule for rule in specified_rules for look in looks if hasattr(rule, look)}
    # It looks at every node for directives, which names cannot have.
    assert looking == {UniqueDirectivesPerLocationRule}


def test_each_rule_that_can_be_left_out_is_one_of_the_specification() -> None:
    assert ABOUT.keys() <= set(specified_rules)


def test_everything_that_rules_are_about_makes_them_apply() -> None:
    for rule, parts in ABOUT.items():
        assert all(rule in applicable_rules({part}) for part in parts)


def _errors(text: str) -> list[dict[str, object]]:
    document = parse(text)
    errors = broken_rules(schema._schema, document, applicable_rules(parts_of(document)), MOST)
    return [dict(error.formatted) for error in errors]


@cache
def _said_by_all_rules(text: str) -> list[dict[str, object]]:
    errors = validate(schema._schema, parse(text), specified_rules, max_errors=MOST)
    return [dict(error.formatted) for error in errors]


def _spoilt(text: str, draws: Random) -> str:
    """Return the text with a name or two replaced by others of its names."""
    names = list(re.finditer(r"\b[A-Za-z_]\w*", text))
    for _ in range(draws.choice([0, 1, 2])):
        chosen, other = draws.choice(names), draws.choice(names)
        if chosen.end() <= len(text):
            text = text[: chosen.start()] + other[0] + text[chosen.end() :]
            names = list(re.finditer(r"\b[A-Za-z_]\w*", text))
    return text
