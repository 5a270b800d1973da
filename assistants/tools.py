"""Offers the tools that assistants can call, and answers their calls from the catalog.

Four of them run a document of ``examples/mcp``. They take records by keys that the catalog is known to have, so they
cost Django Packages no request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from assistants.answer_schema import answer_schema
from assistants.schema_description import UnknownType, described
from assistants.tool_arguments import (
    CompareGrid,
    DescribeSchema,
    FindPackages,
    OnePackage,
    RunQuery,
    WhatChanged,
    WrongArgument,
    input_schema,
    read_arguments,
)
from gateway import Gateway, GraphQLRequest

DOCUMENTS = Path(__file__).parent.parent / "examples" / "mcp"

MAX_ANSWER_BYTES = 100_000
"""The largest answer of a tool: about 30,000 tokens, which is more than assistants can use."""

NO_CATALOG = "The gateway is still reading the catalog of Django Packages. Call the tool again in a minute."

_ANY_OBJECT = {"type": "object"}


class ToolFailed(Exception):
    """Says that a call has no answer. The message tells the model what to do."""


@dataclass(frozen=True, slots=True)
class Tool:
    """Describes a tool to models and to programs. The schemas are JSON Schemas."""

    name: str
    description: str
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _CatalogTool:
    """Describes a tool that runs a document."""

    arguments: type[FindPackages | CompareGrid | OnePackage | WhatChanged]
    description: str


_SOURCE = (
    " Numbers are those that Django Packages read from the repository and from PyPI, at most once a day; "
    "catalog.refreshedAt says how old the catalog is, and catalog.source is DEMO for made-up data."
)

_CATALOG_TOOLS: dict[str, _CatalogTool] = {
    "find_packages": _CatalogTool(
        FindPackages,
        "Find packages for Django by what they are for, with filters and an order, and the grids that compare such "
        "packages. Start here; the slugs in the answer are arguments of the other tools." + _SOURCE,
    ),
    "compare_grid": _CatalogTool(
        CompareGrid,
        "Compare the packages of one grid side by side: stars, forks, commits in 52 weeks with their trend, the "
        "last commit, and the release on PyPI. Use it to choose between alternatives." + _SOURCE,
    ),
    "package": _CatalogTool(
        OnePackage,
        "Get the facts about one package: what it is, its stars, activity and release, what changed lately, its "
        "grids, and its alternatives from these grids. lastFetched is when Django Packages read the repository."
        + _SOURCE,
    ),
    "what_changed": _CatalogTool(
        WhatChanged,
        "Get the packages that were added, were removed or gained the most stars since a date. The gateway's history "
        "begins at catalog.historySince; problems says which part of the answer is missing before that."
        + _SOURCE,
    ),
}

_DESCRIBE_SCHEMA = Tool(
    "describe_schema",
    "Get one type of the GraphQL schema, with descriptions. Query has the entry points. Use it before run_query.",
    input_schema(DescribeSchema),
    {"type": "object", "properties": {"sdl": {"type": "string"}}, "required": ["sdl"]},
)

_RUN_QUERY = Tool(
    "run_query",
    "Run a GraphQL query over the catalog, for what the other tools do not answer. Limits apply; select few "
    "fields and small pages.",
    input_schema(RunQuery),
    {"type": "object", "properties": {"data": {}, "errors": {"type": "array", "items": _ANY_OBJECT}}},
)

_PROBLEMS = {
    "type": "array",
    "items": {"type": "string"},
    "description": "Sentences that say which parts are missing, and why.",
}


class Tools:
    """Answers calls over one gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._documents = {
            name: (DOCUMENTS / f"{name}.graphql").read_text(encoding="utf-8") for name in _CATALOG_TOOLS
        }

    def listed(self) -> list[Tool]:
        """Return the tools. Where only trusted documents run, there are none for other queries."""
        tools = [
            Tool(name, tool.description, input_schema(tool.arguments), self._output_schema(name))
            for name, tool in _CATALOG_TOOLS.items()
        ]
        return tools if self._gateway.persisted.only_trusted else [*tools, _DESCRIBE_SCHEMA, _RUN_QUERY]

    async def call(self, name: str, arguments: dict[str, Any]) -> bytes:
        """Return the answer of a tool, a JSON object.

        :raises ToolFailed: there is none.
        """
        try:
            answer = await self._answer(name, arguments)
        except (WrongArgument, UnknownType) as error:
            raise ToolFailed(str(error)) from None
        if len(answer) > MAX_ANSWER_BYTES:
            raise ToolFailed(
                f"The answer has {len(answer):,} bytes, and a tool can return {MAX_ANSWER_BYTES:,}. Ask for fewer "
                "records or fields."
            )
        return answer

    async def _answer(self, name: str, arguments: dict[str, Any]) -> bytes:
        if name in _CATALOG_TOOLS:
            kind: type[FindPackages | CompareGrid | OnePackage | WhatChanged] = _CATALOG_TOOLS[name].arguments
            return await self._from_catalog(self._documents[name], read_arguments(arguments, kind))
        if not self._gateway.persisted.only_trusted:
            if name == _RUN_QUERY.name:
                asked = read_arguments(arguments, RunQuery)
                return (await self._gateway.execute(GraphQLRequest(asked.query, asked.variables))).body
            if name == _DESCRIBE_SCHEMA.name:
                return msgspec.json.encode({"sdl": described(read_arguments(arguments, DescribeSchema).type)})
        names = ", ".join(tool.name for tool in self.listed())
        raise WrongArgument(f'There is no tool "{name}". Call one of {names}.')

    async def _from_catalog(
        self, document: str, arguments: FindPackages | CompareGrid | OnePackage | WhatChanged
    ) -> bytes:
        source = self._gateway.source
        snapshot = source.current() or await source.refreshed()
        if snapshot is None:
            raise ToolFailed(NO_CATALOG)
        variables = arguments.variables(snapshot.catalog)
        response = (await self._gateway.execute(GraphQLRequest(document, variables), snapshot)).decoded()
        data: Mapping[str, Any] | None = response.get("data")
        problems = [error["message"] for error in response.get("errors", ())]
        if data is None:
            raise ToolFailed(" ".join(problems))
        return msgspec.json.encode({**data, "problems": problems} if problems else data)

    def _output_schema(self, name: str) -> dict[str, Any]:
        schema = answer_schema(self._documents[name])
        schema["properties"]["problems"] = _PROBLEMS
        return schema
