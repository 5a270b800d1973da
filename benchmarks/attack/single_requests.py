"""Makes the attacks by one request, or by many of which each is one attack."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from graphql import get_introspection_query

from benchmarks.attack.case import Case, Scale
from benchmarks.attack.load import AttackClient, Sent
from benchmarks.attack.target import Target

FILTER = {"and": [{"text": f"zq{number}"} for number in range(49)]}
"""49 conditions that no package meets."""
LARGEST = (
    "{grids(first:1,orderBy:PACKAGE_COUNT_DESC){nodes{packages{grids{packages{grids{packages{"
    "commitsOver52 participants}}}}}}}}"
)


def nested(aliases: int) -> dict[str, Any]:
    """Return a filter on a connection of each package list of 100 contributors, so many times each."""
    fields = " ".join(f"a{number}:packages(first:0,filter:$f){{totalCount}}" for number in range(aliases))
    query = f"query($f:PackageFilter){{contributors(first:100){{nodes{{{fields}}}}}}}"
    return {"query": query, "variables": {"f": FILTER}}


def root_filters(count: int) -> dict[str, Any]:
    """Return an operation with so many root fields, each with that filter."""
    fields = " ".join(f"a{number}:packages(first:0,filter:$f){{totalCount}}" for number in range(count))
    return {"query": f"query($f:PackageFilter){{{fields}}}", "variables": {"f": FILTER}}


def entities(count: int, key: str) -> dict[str, Any]:
    """Return a request for so many representations, whose fields go deep."""
    keys: list[dict[str, object]] = [
        {"databaseId": number} if key == "databaseId" else {"repoUrl": f"https://github.com/a/b{number}"}
        for number in range(1, count + 1)
    ]
    query = (
        "query($r:[_Any!]!){_entities(representations:$r){...on Package{title grids{title packages{title}}}}}"
    )
    return {"query": query, "variables": {"r": [{"__typename": "Package"} | each for each in keys]}}


DEAREST = (
    "{contributors(first:30){nodes{coContributors(first:100){contributor{login coContributors(first:1)"
    "{contributor{login}}}}}}}"
)
"""Asks for those who worked with each of 3,000 contributors."""

OUTWARDS = "{packages(first:100,orderBy:STARS_DESC){nodes{contributors{coContributors{contributor{login}}}}}}"
BIG = "{grids(first:40,orderBy:PACKAGE_COUNT_DESC){nodes{packages{title slug category{title}}}}%s}"
DEFERS = "".join(f'...@defer(label:"{number}"){{grids{{title}}}}' for number in range(8))
SEARCHES = " ".join(
    f's{number}:search(query:"django {number}",first:100){{totalCount}}' for number in range(50)
)


def _posting(*bodies: dict[str, Any], headers: dict[str, str] | None = None) -> Any:
    async def run(target: Target, scale: Scale, sent: Sent) -> None:
        async with AttackClient(target, sent) as client:
            for body in bodies:
                await client.post(**body, headers=headers or {})

    return run


async def _bodies(target: Target, scale: Scale, sent: Sent) -> None:
    """Bodies, heads and addresses that are as large or deep as a server may have to take them."""
    json_type = {"Content-Type": "application/json"}
    size = scale.count(1_000_000)
    async with AttackClient(target, sent) as client:
        for body in (
            b'{"query":"' + b" " * size + b'{__typename}"}',
            b'{"query":"{__typename}","variables":'
            + b'{"a":' * (size // 20)
            + b"1"
            + b"}" * (size // 20)
            + b"}",
            b"[" * (size // 2),
            b'{"query":"query($a:Int){__typename}","variables":{"a":' + b"9" * (size // 2) + b"}}",
            b'{"query":"{__typename}","operationName":"' + b"x" * size + b'"}',
        ):
            await client.send("POST", "/graphql", body, json_type)
        await client.send("GET", "/healthz", headers={"X-Long": "x" * scale.count(30_000)})
        await client.send("GET", f"/graphql?query={{__typename}}&x={'y' * scale.count(31_000)}")


async def _registrations(target: Target, scale: Scale, sent: Sent) -> None:
    """Register as many documents as come to mind, each under its hash."""
    async with AttackClient(target, sent) as client:
        for number in range(scale.count(1500)):
            query = f"{{a{number}:__typename}}"
            digest = hashlib.sha256(query.encode()).hexdigest()
            await client.post(query, extensions={"persistedQuery": {"version": 1, "sha256Hash": digest}})


async def _unknown_ids(target: Target, scale: Scale, sent: Sent) -> None:
    """Name documents that nobody registered."""
    headers = {"Content-Type": "application/json"}
    async with AttackClient(target, sent) as client:
        for number in range(scale.count(3000)):
            digest = hashlib.sha256(str(number).encode()).hexdigest()
            body = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest}}}
            await client.send("POST", "/graphql", json.dumps(body).encode(), headers)


CASES = (
    Case("nested filter, 1 alias", "4.1 s", _posting(nested(1))),
    Case(
        "nested filter, 4 aliases", "1,156 B in, 16.8 s, loop dead for 17.7 s", _posting(nested(4)), limit=30
    ),
    Case("50 root filters of 49 conditions", "3.1 kB in, 3.1 s", _posting(root_filters(50))),
    Case(
        "largest answer",
        "135 B in, 708 MB out, 6.5 s, loop dead for 6.3 s",
        _posting({"query": LARGEST}),
        limit=30,
    ),
    Case("a big query", "50 ms", _posting({"query": BIG % ""})),
    Case("one error beside it", "2,407 ms", _posting({"query": BIG % ' bad:package(slug:""){id}'})),
    Case(
        "`@defer` x 8 for each of 100 packages",
        "356 B in, 2.8 s, +64 MB",
        _posting(
            {"query": f"{{packages(first:100){{nodes{{{DEFERS}}}}}}}"},
            headers={"Accept": "multipart/mixed"},
        ),
    ),
    Case(
        "packages -> contributors -> coContributors",
        "349 ms, 1.6 MB out",
        _posting({"query": OUTWARDS}),
    ),
    Case(
        "30 x 100 coContributors",
        "814 ms",
        _posting({"query": DEAREST}),
    ),
    Case("1,000 `_entities`, deep", "380 ms", _posting(entities(1000, "databaseId"))),
    Case("1,000 `_entities` by repoUrl", "29 ms", _posting(entities(1000, "repoUrl"))),
    Case("50 catalog searches", "180 ms", _posting({"query": f"{{{SEARCHES}}}"})),
    Case("introspection", "101 ms", _posting({"query": get_introspection_query()})),
    Case("1 MB bodies, deep JSON, huge numbers, long heads", "up to 102 ms each", _bodies),
    Case("1,500 registrations (APQ)", "5.6 ms each, memory flat", _registrations, limit=30),
    Case("3,000 unknown persisted ids", "0.27 ms each, memory flat", _unknown_ids, limit=30),
)
