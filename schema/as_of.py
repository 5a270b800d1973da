"""Declares the directive ``@asOf``, by which a query is answered from the catalog as it was."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import strawberry
from graphql import DirectiveNode, OperationDefinitionNode
from strawberry.directive import DirectiveLocation, DirectiveValue

NAME = "asOf"


@strawberry.directive(
    locations=[DirectiveLocation.QUERY],
    name=NAME,
    description=(
        "Answers the query from the catalog as it was. It takes exactly one of `time` and `version`. History "
        "reaches back a year by default; an older moment is an error that says how far it reaches. What the "
        "catalog did not have then is null, and Django Packages is not asked."
    ),
)
def as_of(
    value: DirectiveValue[Any],
    time: Annotated[datetime | None, strawberry.argument(description="A moment in the past.")] = None,
    version: Annotated[
        str | None, strawberry.argument(description="A version, as in `catalog { version }`.")
    ] = None,
) -> Any:
    """Leave each value as it is, because the gateway takes another catalog before the query runs."""
    return value


def as_of_in(operation: OperationDefinitionNode) -> DirectiveNode | None:
    """Return the directive of an operation; ``None`` if it has none."""
    return next((each for each in operation.directives or () if each.name.value == NAME), None)
