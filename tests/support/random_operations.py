"""Provides random valid operations over any schema: fond of aliases, overlapping fragments, deep relations and
variables.

Not hypothesis, whose draws take longer than both executions of an operation together: 2,000 operations have to fit
into a run of the tests. An operation is made from its seed alone, and ``simplest`` cuts one down that fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

from graphql import (
    GraphQLAbstractType,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
    is_required_input_field,
)

from tests.support.operation_texts import Operation, Selected

Values = dict[str, list[Any]]
"""What arguments and input fields are given: by ``field.argument``, by their names, or by the names of their types."""

KEYS = ("a", "b", "title", "id", "nodes", "x_1", "_k")


class Generator:
    """Makes operations over one schema."""

    def __init__(
        self,
        schema: GraphQLSchema,
        values: Values,
        *,
        deepest: int = 6,
        fields: Sequence[int] = (3, 6, 10, 30),
        relations: float = 0.5,
        favourites: Mapping[str, int] | None = None,
        again: float = 0,
    ) -> None:
        self.schema = schema
        self.values = values
        self.deepest = deepest
        self.fields = fields
        """How many fields an operation may have: one of these numbers."""
        self.relations = relations
        """How often a field leads to other objects, where one can."""
        self.favourites = favourites or {}
        """How many times as often as others these fields are chosen."""
        self.again = again
        """How often a field stands there under other aliases too."""

    def operation(self, seed: int) -> Operation:
        """Return the operation of this seed: with luck valid, see ``validate``."""
        return _Drawing(self, Random(seed)).operation()


class _Drawing:
    """What is drawn of one operation so far."""

    def __init__(self, generator: Generator, draws: Random) -> None:
        self.schema, self.values, self.deepest = generator.schema, generator.values, generator.deepest
        self.generator = generator
        self.draws = draws
        self.made = Operation([])
        self.keys: dict[str, str] = {}
        """What each key of the answer stands for in this operation: one thing, so that all fields can merge."""
        self.left = draws.choice(generator.fields)
        """How many fields may come."""
        self.inside = 0
        """How many input objects are around the value that is being drawn."""

    def operation(self) -> Operation:
        query = self.schema.query_type
        assert query is not None
        self.made.selected = self.selections(query, self.draws.randint(1, self.deepest))
        return self.made

    def selections(self, type_: GraphQLNamedType, depth: int) -> list[Selected]:
        made: list[Selected] = []
        for _ in range(self.draws.choice([1, 2, 2, 3, 4])):
            chance = self.draws.random()
            if chance < 0.12:
                made.append(Selected(f"{self.alias('__typename', 'String!')}__typename{self.condition()}"))
            elif chance < 0.3 and depth > 1:
                made.append(self.inline_fragment(type_, depth - 1))
            elif chance < 0.4 and depth > 1:
                made.append(self.spread(type_, depth - 1))
            elif isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) and self.left > 0:
                made += self.fields(type_, depth)
        return made or [Selected("__typename")]

    def fields(self, type_: GraphQLObjectType | GraphQLInterfaceType, depth: int) -> Iterator[Selected]:
        fits = [
            name
            for name, each in type_.fields.items()
            if depth > 1 or is_leaf_type(get_named_type(each.type))
        ]
        if not fits:
            return
        relations = [name for name in fits if not is_leaf_type(get_named_type(type_.fields[name].type))]
        names = relations if relations and self.draws.random() < self.generator.relations else fits
        favourites = self.generator.favourites
        name = (
            self.draws.choices(names, [favourites.get(each, 1) for each in names])[0]
            if favourites
            else self.draws.choice(names)
        )
        definition = type_.fields[name]
        arguments = self.arguments(name, definition)
        text = f"{self.alias(name, f'{arguments} {definition.type}')}{name}{arguments}"
        # Now and then twice, to be merged.
        for _ in range(2 if self.draws.random() < 0.2 else 1):
            self.left -= 1
            named = get_named_type(definition.type)
            below = None if is_leaf_type(named) else self.selections(named, depth - 1)
            yield Selected(f"{text}{self.condition()}", below)
        if self.generator.again and self.draws.random() < self.generator.again:
            for _ in range(self.draws.choice([1, 4, 20])):
                self.left -= 1
                key = f"z{len(self.keys)}"
                self.keys[key] = key
                yield Selected(f"{key}: {name}{arguments}", below)

    def alias(self, name: str, meaning: str) -> str:
        """Return an alias with its colon, or nothing, such that the key does not yet mean another thing."""
        meaning = f"{name}{meaning}"
        for key in (self.draws.choice(KEYS), name) if self.draws.random() < 0.4 else (name,):
            if self.keys.setdefault(key, meaning) == meaning:
                return "" if key == name else f"{key}: "
        key = f"k{len(self.keys)}"
        self.keys[key] = meaning
        return f"{key}: "

    def inline_fragment(self, type_: GraphQLNamedType, depth: int) -> Selected:
        if self.draws.random() < 0.3:
            return Selected(f"...{self.condition()}", self.selections(type_, depth))
        condition = self.overlapping(type_)
        return Selected(f"... on {condition.name}{self.condition()}", self.selections(condition, depth))

    def spread(self, type_: GraphQLNamedType, depth: int) -> Selected:
        fitting = {f" on {each.name} " for each in _overlapping(self.schema, type_)}
        known = [each for each in self.made.fragments if f" on {each.text.split()[3]} " in fitting]
        if not known or self.draws.random() < 0.5:
            condition = self.overlapping(type_)
            below = self.selections(condition, depth)
            fragment = Selected(f"fragment F{len(self.made.fragments)} on {condition.name}", below)
            self.made.fragments.append(fragment)
        else:
            fragment = self.draws.choice(known)
        return Selected(f"...{fragment.text.split()[1]}{self.condition()}")

    def overlapping(self, type_: GraphQLNamedType) -> GraphQLNamedType:
        return self.draws.choice(_overlapping(self.schema, type_))

    def condition(self) -> str:
        if self.draws.random() < 0.85:
            return ""
        name = self.draws.choice(["skip", "include"])
        if self.draws.random() < 0.4:
            return f" @{name}(if: {self.draws.choice(['true', 'false'])})"
        return f" @{name}(if: {self.variable('Boolean!', self.draws.random() < 0.5)})"

    def arguments(self, field_name: str, definition: GraphQLField) -> str:
        # Often one alone, because keys of a record exclude each other.
        alone = (
            self.draws.choice(list(definition.args))
            if definition.args and self.draws.random() < 0.7
            else None
        )
        given = [
            f"{name}: {self.given(field_name, name, each)}"
            for name, each in definition.args.items()
            if is_required_argument(each) or (name == alone if alone else self.draws.random() < 0.5)
        ]
        return f"({', '.join(given)})" if given else ""

    def given(self, field_name: str, name: str, argument: GraphQLArgument) -> str:
        name = f"{field_name}.{name}" if f"{field_name}.{name}" in self.values else name
        if self.draws.random() < 0.35:
            return self.variable(str(argument.type), self.value(name, argument.type))
        return self.literal(name, argument.type)

    def variable(self, type_: str, value: Any) -> str:
        name = f"$v{len(self.made.declared)}"
        default, kind = "", self.draws.random()
        optional = not type_.endswith("!")
        if kind < 0.25 and "{" not in (text := _literal(value)) and not (value is None and not optional):
            default = f" = {text}"
        if not (default and self.draws.random() < 0.5) and not (optional and kind > 0.9):
            self.made.variables[name[1:]] = value.name if isinstance(value, _Name) else _plain(value)
        self.made.declared.append(f"{name}: {type_}{default}")
        return name

    def literal(self, name: str, type_: Any) -> str:
        if self.draws.random() < 0.15 and isinstance(get_named_type(type_), GraphQLInputObjectType):
            return _literal(self.value(name, type_))
        if is_list_type(type_) and self.draws.random() < 0.3:
            inner = type_.of_type
            return f"[{self.literal(name, inner)}, {self.variable(str(inner), self.value(name, inner))}]"
        return _literal(self.value(name, type_))

    def value(self, name: str, type_: Any) -> Any:
        if is_non_null_type(type_):
            return self.value_of(name, type_.of_type)
        return None if self.draws.random() < 0.1 else self.value_of(name, type_)

    def value_of(self, name: str, type_: Any) -> Any:
        if is_list_type(type_):
            return [self.value(name, type_.of_type) for _ in range(self.draws.choice([0, 1, 2, 4]))]
        if isinstance(type_, GraphQLEnumType):
            return _Name(self.draws.choice(list(type_.values)))
        if isinstance(type_, GraphQLInputObjectType):
            return self.input_object(type_)
        return self.draws.choice(self.values.get(name) or self.values[type_.name])

    def input_object(self, type_: GraphQLInputObjectType) -> dict[str, Any]:
        if type_.is_one_of:
            key = self.draws.choice(list(type_.fields))
            return {key: self.value_of(key, type_.fields[key].type)}
        self.inside += 1
        given = {}
        for key, each in type_.fields.items():
            # Filters can hold filters: without a limit they would never end.
            likely = min(0.4, 2 / len(type_.fields))
            if isinstance(get_named_type(each.type), GraphQLInputObjectType) and self.inside > 2:
                likely = 0
            if is_required_input_field(each) or self.draws.random() < likely:
                name = f"{type_.name}.{key}"
                given[key] = self.value(name if name in self.values else key, each.type)
        self.inside -= 1
        return given


@cache
def _overlapping(schema: GraphQLSchema, type_: GraphQLNamedType) -> tuple[GraphQLNamedType, ...]:
    """Return the types that fragments on a type can be on."""
    possible = _possible(schema, type_)
    return tuple(
        each
        for each in schema.type_map.values()
        if isinstance(each, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType)
        and not each.name.startswith("__")
        and possible & _possible(schema, each)
    )


def _possible(schema: GraphQLSchema, type_: GraphQLNamedType) -> set[str]:
    if is_abstract_type(type_):
        abstract: GraphQLAbstractType = type_
        return {each.name for each in schema.get_possible_types(abstract)}
    return {type_.name}


@dataclass(frozen=True)
class _Name:
    """The name of an enum value, which a literal writes without quotes."""

    name: str


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value.name if isinstance(value, _Name) else value


def _literal(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_literal(item)}' for key, item in value.items())}}}"
    if isinstance(value, _Name):
        return value.name
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        escaped = "".join(f"\\u{ord(each):04x}" if each < " " or each in '"\\' else each for each in value)
        return f'"{escaped}"'
    return "null" if value is None else str(value)
