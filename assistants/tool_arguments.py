"""Declares the arguments of each tool: their JSON Schemas, their checks, and the variables that they become."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from catalog import Catalog

MAX_WORDS = 10
"""Words that are looked for at once; each is compared with every package."""

MAX_GRIDS = 5
"""Grids that are returned beside the packages."""

Order = Literal["stars", "last_commit", "commits", "newest", "title"]

_ORDERS: dict[Order, str] = {
    "stars": "STARS_DESC",
    "last_commit": "LAST_COMMIT_DESC",
    "commits": "COMMITS_DESC",
    "newest": "CREATED_DESC",
    "title": "TITLE_ASC",
}

OrderArgument = Annotated[Order, Meta(description="The order: the highest or newest first, or by title.")]
First = Annotated[int, Meta(description="How many to return, 1 to 50.", ge=1, le=50)]
Slug = Annotated[str, Meta(min_length=1, max_length=200)]


class WrongArgument(Exception):
    """Says that a tool cannot use an argument. The message is a sentence that says what to send."""


class Arguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Holds the arguments of a call."""


class FindPackages(Arguments, frozen=True):
    """Holds what to look for."""

    words: Annotated[
        str,
        Meta(
            description="Words that must all occur in the title, the slug or the description, such as "
            '"celery email". Few and plain words find more.',
            max_length=200,
        ),
    ] = ""
    category: Annotated[Slug, Meta(description='The slug of a category, such as "apps".')] | None = None
    grid: Annotated[Slug, Meta(description="The slug of a grid that compares the packages.")] | None = None
    min_stars: Annotated[int, Meta(description="The fewest stars.", ge=0, le=10_000_000)] | None = None
    active_within_days: (
        Annotated[int, Meta(description="The highest age of the last commit in days.", ge=0, le=36_500)]
        | None
    ) = None
    has_pypi_release: (
        Annotated[bool, Meta(description="Whether there is a numbered release on PyPI.")] | None
    ) = None
    order: OrderArgument = "stars"
    first: First = 10
    after: (
        Annotated[str, Meta(description="The endCursor of the previous page, to continue.", max_length=200)]
        | None
    ) = None

    def variables(self, catalog: Catalog) -> dict[str, Any]:
        """Return the variables of the document."""
        words = self.words.split()
        if len(words) > MAX_WORDS:
            raise WrongArgument(f"words has {len(words)} words; send at most {MAX_WORDS}.")
        if self.category is not None:
            _known(
                self.category, catalog.category_slugs, "category", ", ".join(sorted(catalog.category_slugs))
            )
        if self.grid is not None:
            _known_grid(self.grid, catalog)
        conditions = {
            "category": self.category,
            "inAnyGrid": None if self.grid is None else [self.grid],
            "stars": None if self.min_stars is None else {"min": self.min_stars},
            "activeWithinDays": self.active_within_days,
            "hasPypiRelease": self.has_pypi_release,
        }
        each_word = [{"text": word} for word in words]
        return {
            "filter": {name: value for name, value in conditions.items() if value is not None}
            | {"and": each_word},
            "gridFilter": {"and": each_word},
            # Without words there are no grids of the same kind.
            "gridCount": MAX_GRIDS if words else 0,
            "orderBy": _ORDERS[self.order],
            "first": self.first,
            "after": self.after,
        }


class CompareGrid(Arguments, frozen=True):
    """Holds which grid to compare."""

    grid: Annotated[Slug, Meta(description="The slug of the grid; find_packages returns slugs of grids.")]
    order: OrderArgument = "stars"
    first: First = 20

    def variables(self, catalog: Catalog) -> dict[str, Any]:
        """Return the variables of the document."""
        _known_grid(self.grid, catalog)
        return {"grid": self.grid, "orderBy": _ORDERS[self.order], "first": self.first}


class OnePackage(Arguments, frozen=True):
    """Holds which package to describe."""

    slug: Annotated[Slug, Meta(description="The slug of the package; find_packages returns slugs.")]
    alternatives: Annotated[
        int, Meta(description="How many other packages of its grids to return, 0 to 50.", ge=0, le=50)
    ] = 5

    def variables(self, catalog: Catalog) -> dict[str, Any]:
        """Return the variables of the document."""
        _known(self.slug, catalog.package_slugs, "package", "those that find_packages returns")
        return {"slug": self.slug, "alternatives": self.alternatives}


class WhatChanged(Arguments, frozen=True):
    """Holds since when, and how much to return."""

    since: (
        Annotated[
            str,
            Meta(description='A date or moment, such as "2026-01-31". By default 7 days ago.', max_length=40),
        ]
        | None
    ) = None
    first: First = 10

    def variables(self, catalog: Catalog) -> dict[str, Any]:
        """Return the variables of the document."""
        since = self.since
        if since is None:
            since = (datetime.now(UTC) - timedelta(days=7)).isoformat()
        else:
            try:
                datetime.fromisoformat(since)
            except ValueError:
                raise WrongArgument(f'since is "{since}"; send a date such as "2026-01-31".') from None
        return {"since": since, "first": self.first}


class RunQuery(Arguments, frozen=True):
    """Holds a GraphQL request."""

    query: Annotated[
        str, Meta(description="One GraphQL query; describe_schema shows types and fields.", min_length=1)
    ]
    variables: Annotated[dict[str, Any], Meta(description="The variables of the query.")] = {}


class DescribeSchema(Arguments, frozen=True):
    """Holds which type to describe."""

    type: Annotated[
        str, Meta(description='A type, such as "Package" or "PackageFilter".', max_length=100)
    ] = "Query"


A = TypeVar("A", bound=Arguments)


def read_arguments(arguments: dict[str, Any], kind: type[A]) -> A:
    """Return the arguments of a call.

    :raises WrongArgument: they are not those of the tool.
    """
    try:
        # Models sometimes write numbers as strings.
        return msgspec.convert(arguments, kind, strict=False)
    except msgspec.ValidationError as error:
        raise WrongArgument(_sentence(str(error), kind)) from None


def input_schema(kind: type[Arguments]) -> dict[str, Any]:
    """Return the JSON Schema of the arguments of a tool."""
    _reference, definitions = msgspec.json.schema_components([kind])
    schema: dict[str, Any] = definitions[kind.__name__]
    return {key: value for key, value in schema.items() if key not in ("title", "description")}


def _sentence(error: str, kind: type[Arguments]) -> str:
    """Return what is wrong and what to send: for the argument that the error names, or for all of them."""
    schema = input_schema(kind)
    reason, _, place = error.partition(" - at `$.")
    named = {re.split(r"\W", place)[0]} & schema["properties"].keys() or schema["properties"].keys()
    required = schema.get("required", [])
    allowed = [
        f"{name} ({'required' if name in required else 'optional'}): {_meaning(property)}"
        for name, property in schema["properties"].items()
        if name in named
    ]
    return f"The arguments cannot be used: {reason.rstrip('.')}. Send {'; '.join(allowed)}."


def _meaning(property: dict[str, Any]) -> str:
    texts = [property, *property.get("anyOf", [])]
    text: str = next((each["description"] for each in texts if "description" in each), "")
    values = property.get("enum")
    return text.rstrip(".") + (f": {', '.join(values)}" if values else "")


def _known_grid(slug: str, catalog: Catalog) -> None:
    _known(slug, catalog.grid_slugs, "grid", "those that find_packages returns in grids")


def _known(slug: str, slugs: Any, kind: str, allowed: str) -> None:
    if slug not in slugs:
        raise WrongArgument(f'The catalog has no {kind} with the slug "{slug}". Slugs are {allowed}.')
