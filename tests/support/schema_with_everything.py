"""Provides a schema with everything that Strawberry offers and that the gateway's own schema lacks."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any

import msgspec
import strawberry
from graphql import GraphQLError
from strawberry import relay
from strawberry.extensions import FieldExtension
from strawberry.permission import BasePermission
from strawberry.scalars import JSON, Base64

from engine import DependsOn, decided_by_class, depends_on
from schema.validated_document import KnownDocuments


@strawberry.enum
class Colour(Enum):
    RED = "red"
    GREEN = 2
    BLUE = strawberry.enum_value("blue", name="AZURE")


@strawberry.enum
class Size(str, Enum):  # noqa: UP042 - also a common way
    SMALL = "s"
    LARGE = "l"


@strawberry.input
class Range:
    low: int = 0
    high: int | None = None
    colours: list[Colour] = strawberry.field(default_factory=lambda: [Colour.RED])
    exact: Annotated[Range, strawberry.lazy("tests.support.schema_with_everything")] | None = strawberry.UNSET


class Rock(msgspec.Struct, frozen=True):
    """Resolves ``Stone``: no instance of a Strawberry type, as the gateway's records are not."""

    id: int
    name: str
    weight: float


class Louder(FieldExtension):
    def resolve(self, next_: Callable[..., Any], source: Any, info: strawberry.Info, **kwargs: Any) -> Any:
        return next_(source, info, **kwargs).upper()


class Allowed(BasePermission):
    message = "No."

    async def has_permission(self, source: Any, info: strawberry.Info, **kwargs: Any) -> bool:
        return not kwargs.get("secret", False)


FIXED = depends_on(DependsOn.CATALOG)
"""Declares that a field says the same of an object every time."""


@strawberry.interface
class Named:
    name: str

    @strawberry.field(metadata=FIXED)  # type: ignore[untyped-decorator]
    def length(self) -> int:
        return len(self.name)


@strawberry.interface
class Owned:
    @strawberry.field
    async def owner(
        self, info: strawberry.Info
    ) -> Annotated[Person, strawberry.lazy("tests.support.schema_with_everything")] | None:
        await asyncio.sleep(0)
        return PEOPLE[len(str(getattr(self, "name", ""))) % 3]


@strawberry.type
class Pet(Named, Owned):
    colour: Colour | None
    size: Size
    born: date
    seen: datetime
    fed: time
    price: Decimal
    chip: uuid.UUID
    notes: JSON
    photo: Base64
    weights: list[list[float | None] | None]
    ratio: float

    @strawberry.field
    def again(
        self, times: int = 1, colour: Colour = Colour.RED
    ) -> list[Annotated[Pet, strawberry.lazy("tests.support.schema_with_everything")]]:
        return [self] * times

    @strawberry.field
    async def friends(self, first: int | None = None, range: Range | None = None) -> list[Thing | None]:
        await asyncio.sleep(0)
        things: list[Any] = [PEOPLE[0], None, PETS[1], ROCKS[0], PETS[0]]
        return things[(range.low if range else 0) : first]


@strawberry.type
class Person(Named, relay.Node):
    code: relay.NodeID[int]
    nick: str | None = None

    @strawberry.field
    def pets(self) -> list[Pet] | None:
        return None if self.code == 2 else PETS[: self.code + 1]

    @strawberry.field(extensions=[Louder()])  # type: ignore[untyped-decorator]
    def shout(self, end: str = "!") -> str:
        return self.name + end

    @strawberry.field(permission_classes=[Allowed])  # type: ignore[untyped-decorator]
    def diary(self, secret: bool = False) -> str | None:
        return f"of {self.name}"

    @strawberry.field
    def place(self, info: strawberry.Info) -> str:
        return f"{info.path.typename} {info.path.key} {info.field_name} {len(info.selected_fields)}"

    @strawberry.field
    def far(self, info: strawberry.Info) -> str:
        return str(info.path.as_list())

    @strawberry.field(metadata=FIXED)  # type: ignore[untyped-decorator]
    def fragile(self, how: str = "", parent: strawberry.Parent[Any] = None) -> str:
        if how == "raise":
            raise ValueError(how)
        return {"null": None, "error": ValueError(how)}.get(how, f"{parent.name}{how}")  # type: ignore[return-value]

    @strawberry.field(metadata=FIXED)  # type: ignore[untyped-decorator]
    def later(self) -> str:
        async def answer() -> str:
            return self.name

        return answer()  # type: ignore[return-value]

    @classmethod
    def resolve_nodes(cls, *, info: strawberry.Info, node_ids: Iterable[str], required: bool = False) -> Any:
        return [next((each for each in PEOPLE if str(each.code) == id), None) for id in node_ids]


def weight_in(root: Rock, unit: str = "kg", factor: float = 1.0) -> str:
    return f"{root.weight * factor} {unit}"


@strawberry.type
class Stone:
    name: str
    weight: float
    id: strawberry.ID
    weight_in = strawberry.field(resolver=weight_in, graphql_type=str, metadata=FIXED)

    @classmethod
    @decided_by_class
    def is_type_of(cls, obj: object, _info: object) -> bool:
        return isinstance(obj, Rock)


Thing = Annotated[Pet | Person | Stone, strawberry.union("Thing")]


@dataclass
class Page:
    items: list[Any]

    @property
    def count(self) -> int:
        return len(self.items)


@strawberry.type
class Things:
    """Resolved from ``Page``."""

    items: list[Thing | None]
    count: int


@strawberry.type
class Query:
    @strawberry.field
    def everything(self, kinds: list[str] | None = None) -> list[Thing]:
        things: list[Any] = [*PETS, *PEOPLE, *ROCKS, PETS[0]]
        return [each for each in things if not kinds or type(each).__name__.lower() in kinds]

    @strawberry.field
    async def named(self, name: str = "Ann") -> Named | None:
        await asyncio.sleep(0)
        return next((each for each in [*PETS, *PEOPLE] if each.name == name), None)

    @strawberry.field
    def named_all(self) -> list[Named]:
        return [*PEOPLE, *PETS]

    @strawberry.field
    def page(self, range: Range, colour: Colour | None = None, sizes: list[Size] | None = None) -> Things:
        return Page([*PETS, None, *ROCKS][range.low : range.high])  # type: ignore[return-value]

    @strawberry.field
    def echo(
        self,
        json: JSON | None = None,
        at: datetime | None = None,
        day: date | None = None,
        ids: list[strawberry.ID] | None = None,
        range: Range | None = None,
        ratio: float = 0.5,
        size: Size = Size.SMALL,
        matrix: list[list[int]] | None = None,
    ) -> str:
        return repr([json, at, day, ids, range, ratio, size, matrix])

    @strawberry.field
    def nested(self) -> list[list[Person] | None]:
        return [PEOPLE, None, [], PEOPLE[:1]]

    @strawberry.field
    def tower(self) -> list[list[list[Person | None]]] | None:
        return [[[*PEOPLE], [None]], []]

    @strawberry.field
    def iterated(self) -> list[int]:
        return iter(range(3))  # type: ignore[return-value]

    node: relay.Node | None = relay.node()
    nodes: list[relay.Node | None] = relay.node()

    @relay.connection(relay.ListConnection[Person])  # type: ignore[untyped-decorator]
    def people(self) -> list[Person]:
        return PEOPLE


PEOPLE = [Person(name=name, code=code) for code, name in enumerate(["Ann", "Bo", "Ünal"])]
PETS = [
    Pet(
        name=name,
        colour=colour,
        size=size,
        born=date(2020, 1, place + 1),
        seen=datetime(2020, 1, 1, 12, tzinfo=zone),
        fed=time(12, 30, place),
        price=Decimal("12.50"),
        chip=uuid.UUID(int=place),
        notes=JSON({"a": [1, None, {"b": 1.5}], "ü": "☃"}),
        photo=Base64(b"photo"),
        weights=[[1.5, None], None, []],
        ratio=1e16 if place else 0.1,
    )
    for place, (name, colour, size, zone) in enumerate(
        [
            ("Rex", Colour.RED, Size.SMALL, UTC),
            ("Tom", Colour.BLUE, Size.LARGE, timezone(timedelta(hours=-5))),
            ("Ida", None, Size.SMALL, timezone(timedelta(hours=1, seconds=7))),
            ("Lou", Colour.GREEN, Size.LARGE, None),
        ]
    )
]
ROCKS = [Rock(1, "granite", 2.5), Rock(2, "chalk", 7.0)]


class _Quiet(strawberry.Schema):
    def process_errors(self, errors: list[GraphQLError], execution_context: Any = None) -> None:
        """Log nothing: half of the operations have errors."""


schema = _Quiet(Query, types=[Pet, Person, Stone], extensions=[KnownDocuments])
VALUES: dict[str, list[Any]] = {
    "kinds": ["pet", "person", "rock"],
    "named.name": ["Ann", "Rex", "nobody"],
    "fragile.how": ["", "", "", "raise", "null", "error"],
    "id": [relay.to_base64("Person", code) for code in (0, 1, 9)],
    "ids": [relay.to_base64("Person", code) for code in (0, 1)],
    "low": [0, 1, 2],
    "Boolean": [False, False, True],
    "String": ["x", 'a"b\\c\n☃', "", "'''\"\"\""],
    "Int": [0, 1, 2, 5],
    "Float": [0.5, 2, 1e20],
    "ID": ["1", "x"],
    "JSON": [{"a": 1}, [1, "x", None], "text", 1.5],
    "DateTime": ["2020-01-01T00:00:00+02:00", "2020-01-01"],
    "Date": ["2020-02-03"],
}
