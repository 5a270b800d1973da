"""Leaf values leave the engine as they leave Strawberry's execution, or not at all."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec
import pytest
import strawberry
from graphql import Undefined
from strawberry.scalars import JSON

from engine import Engine, Fallback
from engine.run_limits import NO_LIMITS
from gateway.document_validation import read_document
from schema.validated_document import KnownDocuments, given
from tests.support.numbers_of_examples import share_of


class Text(str):
    __slots__ = ()


class Number(int):
    pass


class Kind(str, Enum):  # noqa: UP042 - its members are strings that a client could send
    A = "a"
    B = "b"


strawberry.enum(Kind)

VALUES: list[Any] = [
    None,
    Undefined,
    "",
    "a",
    '☃ \x00 \x1f \x7f " \\ / \u2028',
    Text("text"),
    b"bytes",
    0,
    True,
    False,
    2**31 - 1,
    2**31,
    -(2**31),
    -(2**31) - 1,
    Number(7),
    0.5,
    -0.0,
    1e300,
    5e-324,
    1.0,
    float("inf"),
    float("nan"),
    Decimal("1.50"),
    Kind.A,
    [],
    (),
    [1, 2],
    (2**31,),
    ["a", "b"],
    ["a", None],
    [True],
    [Kind.B],
    {"a": [1]},
    {1},
    ValueError("no"),
    date(2020, 1, 2),
    time(1, 2, 3, 4),
    datetime(1, 1, 1),
    datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    *(
        datetime(2020, 7, 1, 12, 0, 0, micro, tzinfo=zone)
        for micro in (0, 1, 500_000)
        for zone in (
            UTC,
            timezone(timedelta(0)),
            timezone(timedelta(hours=-5)),
            timezone(timedelta(hours=5, minutes=45)),
            timezone(timedelta(hours=-23, minutes=-59)),
            timezone(timedelta(seconds=1)),
            timezone(timedelta(hours=-1, seconds=-30)),
            zoneinfo.ZoneInfo("Europe/Paris"),
            zoneinfo.ZoneInfo("UTC"),
        )
    ),
]

TYPES: dict[str, Any] = {
    "str": str,
    "id": strawberry.ID,
    "int": int,
    "float": float,
    "bool": bool,
    "datetime": datetime,
    "date": date,
    "time": time,
    "decimal": Decimal,
    "json": JSON,
    "kind": Kind,
}
MADE: dict[str, Callable[[Any], Any]] = {
    "plain": lambda type_: type_,
    "optional": lambda type_: type_ | None,
    "items": lambda type_: list[type_],  # type: ignore[valid-type]
    "optional_items": lambda type_: list[type_ | None] | None,  # type: ignore[valid-type]
}
FIELDS = {f"{name}_{how}": make(type_) for name, type_ in TYPES.items() for how, make in MADE.items()}

Holder = strawberry.type(type("Holder", (), {"__annotations__": FIELDS}))


class Quiet(strawberry.Schema):
    def process_errors(self, errors: Any, execution_context: Any = None) -> None:
        pass


HELD: list[Any] = []


def holder() -> Any:
    return HELD[0]


FIELDS_OF_QUERY = {
    "holder": strawberry.field(resolver=holder, graphql_type=Holder),
    "holder_or_null": strawberry.field(resolver=holder, graphql_type=Holder | None),
}
SCHEMA = Quiet(strawberry.type(type("Query", (), FIELDS_OF_QUERY)), extensions=[KnownDocuments])
NAMES = [SCHEMA.config.name_converter.apply_naming_config(name) for name in share_of([*FIELDS])]
TEXTS = {name: f"{{ holder {{ {name} }} }}" for name in NAMES}
DOCUMENTS = {name: read_document(text, SCHEMA._schema) for name, text in TEXTS.items()}
ALL = f"{{ {' '.join(f'{name}: holderOrNull {{ {name} }}' for name in NAMES)} }}"
"""All of these operations in one. Where a holder can be null, an error goes no further."""
ALL_READ = read_document(ALL, SCHEMA._schema)
ENGINE = Engine(SCHEMA)
"""Learns from the class of a holder, which is another one for each value."""


@pytest.mark.parametrize("value", VALUES, ids=repr)
async def test_a_value_of_any_class_in_a_field_of_any_type(value: object) -> None:
    HELD[:] = [type("Held", (), dict.fromkeys(FIELDS, value))()]
    expected = await by_strawberry()
    for name in NAMES:
        for _ in range(2):  # a second time with what was learnt from the first
            assert await by_engine(name, expected[name]) == expected[name], name


async def by_strawberry() -> dict[str, bytes | None]:
    """Return the answer to the operation of each name; ``None`` if it has an error."""
    with given(ALL_READ, NO_LIMITS) as extensions:
        result = await SCHEMA.execute(ALL, operation_extensions=extensions)
    failed = {error.path[0] for error in result.errors or () if error.path}
    assert result.data is not None
    return {name: None if name in failed else encoded(result.data[name]) for name in NAMES}


def encoded(holder: object) -> bytes | None:
    try:
        return msgspec.json.encode({"holder": holder})
    except TypeError:
        return None  # JSON cannot say it


async def by_engine(name: str, expected: bytes | None) -> bytes | None:
    node = DOCUMENTS[name].node
    assert node is not None
    try:
        ran = await ENGINE.run(TEXTS[name], node, None, None, None)
        return None if ran.errors else ran.data
    except Fallback as error:
        if error.reason == "value" or expected is None:
            return expected
        raise
