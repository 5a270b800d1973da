"""Lists the contenders: our gateway, the peers that users would pick instead, and the floors."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.side_by_side.install import (
    BIN,
    NODE,
    PYTHON,
    TAILCALL,
    install_node,
    install_python,
    tailcall_command,
)
from benchmarks.side_by_side.processes import ROOT
from benchmarks.side_by_side.workload import Dialect

CONNECTIONS = 32

HERE = Path(__file__).resolve().parent
FLOOR = "benchmarks.side_by_side.floor:app"

UVICORN = [
    "-m",
    "uvicorn",
    "--loop",
    "uvloop",
    "--http",
    "httptools",
    "--no-access-log",
    "--log-level",
    "warning",
]

FEW_JOINS = {"Q3": 4}
"""Connections for those that ask upstream a thousand times for one answer to Q3: with 32, none would end in time."""

FEW = {"Q2": 8, "Q3": 1, "Q4": 8, "Q5": 8}
"""Connections under which httpx without a limit of its own still answers."""


@dataclass(frozen=True)
class Contender:
    """Describes one gateway in one configuration. ``{...}`` in a command and an environment is filled in; see
    ``environments.py``."""

    name: str
    meaning: str
    command: list[str]
    dialect: Dialect = "peers"
    folder: Path = ROOT
    environment: Mapping[str, str] = field(default_factory=dict)
    template: Path | None = None
    """A file of configuration in which ``@NAME@`` is filled in; ``{config}`` is the result."""
    tokens: Mapping[str, str] = field(default_factory=dict)
    """What is filled into the template besides port, upstream and folder."""
    install: Callable[[], object] | None = None
    prefix: str = "x"
    """The letter that its addresses upstream begin with: ``c`` gets answers that may be cached (``upstream.py``)."""
    connections: Mapping[str, int] = field(default_factory=dict)
    """By the query's name, where 32 are too many."""
    keeps_answers: bool = False
    """Whether it keeps whole answers, which Q5 is about to prevent."""
    is_asked_anew: bool = False
    """Whether no request is like one before: each has another value of a variable that no document declares."""
    loaded: bool = True
    """Whether it is put under load."""
    cold: bool = True
    """Whether the first answer of a fresh process is measured."""
    is_measured_once: bool = False
    """Whether one round is enough, because others are several times as fast at everything."""
    floor: bool = False
    """Whether it sends ready bytes, whatever is posted, at a path for each query."""


def contenders() -> list[Contender]:
    """Return all of them, in the order of the table."""
    return [*_ours(), *_tailcall(), *_node(), *_python(), *_floors()]


def _ours() -> list[Contender]:
    command = [sys.executable, "server.py", "serve", "--port", "{port}"]
    common = {"GATEWAY_UPSTREAM": "{upstream}", "GATEWAY_STORAGE": "{folder}/gateway.sqlite"}

    def ours(
        name: str,
        meaning: str,
        *,
        loaded: bool = True,
        cold: bool = True,
        cache: bool = False,
        is_asked_anew: bool = False,
        **settings: str,
    ) -> Contender:
        environment = {
            **common,
            **{f"GATEWAY_{setting.upper()}": value for setting, value in settings.items()},
        }
        return Contender(
            name,
            meaning,
            command,
            "ours",
            environment=environment,
            loaded=loaded,
            cold=cold,
            keeps_answers=cache,
            is_asked_anew=is_asked_anew,
        )

    return [
        ours("gateway", "this project with its defaults", cache=True),
        ours(
            "gateway executing",
            "with its defaults, asked so that no request is like one before: it makes every answer",
            cold=False,
            is_asked_anew=True,
        ),
        ours(
            "gateway two workers", "with two processes on the same core", cold=False, cache=True, workers="2"
        ),
        ours(
            "gateway executing two workers",
            "the same, asked so that no request is like one before",
            cold=False,
            is_asked_anew=True,
            workers="2",
        ),
        ours(
            "gateway no crawl",
            "only to be asked cold: it knows nothing and does not crawl",
            loaded=False,
            crawl="off",
        ),
        ours(
            "gateway no crawl 32",
            "the same, with 32 requests at a time to upstream from the start; by default it begins with 4",
            loaded=False,
            crawl="off",
            upstream_min_in_flight="32",
        ),
    ]


def _tailcall() -> list[Contender]:
    def tailcall(name: str, meaning: str, prefix: str = "x", **tokens: str) -> Contender:
        plain = not any(tokens.values())
        return Contender(
            name,
            meaning,
            ["{tailcall}", "start", "{config}"],
            "tailcall",
            environment={"TAILCALL_TRACKER": "false", "TC_LOG_LEVEL": "error"},
            template=TAILCALL / "gateway.graphql",
            tokens={"DEDUPE": "", "CACHE": "", "HTTP_CACHE": "", **tokens},
            install=install_node,
            prefix=prefix,
            connections=FEW_JOINS if plain else {},
        )

    return [
        tailcall("tailcall", "in Rust; as its documents show"),
        tailcall("tailcall dedupe", "identical requests under way are joined", DEDUPE=", dedupe: true"),
        tailcall(
            "tailcall httpCache",
            "keeps upstream's answers as their headers allow",
            "c",
            HTTP_CACHE="httpCache: 20000, ",
        ),
        tailcall(
            "tailcall @cache", "keeps the values of fields for an hour", CACHE=" @cache(maxAge: 3600000)"
        ),
    ]


def _node() -> list[Contender]:
    def node(
        file: str, name: str, meaning: str, cache: str = "off", keeps_answers: bool = False
    ) -> Contender:
        environment = {"NODE_ENV": "production", "UPSTREAM": "{upstream}", "PORT": "{port}", "CACHE": cache}
        return Contender(
            name,
            meaning,
            ["node", file],
            folder=NODE,
            environment=environment,
            install=install_node,
            keeps_answers=keeps_answers,
            connections=FEW_JOINS if cache == "off" else {},
            is_measured_once=cache == "off",
        )

    return [
        node("apollo.js", "apollo", "Apollo Server, its REST data source, DataLoader"),
        node("apollo.js", "apollo cache", "and its plugin that keeps whole answers", "on", True),
        node("mercurius.js", "mercurius", "Fastify, JIT, loaders"),
        node("mercurius.js", "mercurius ttl", "and records kept for ten minutes", "on"),
        node("yoga.js", "yoga", "GraphQL Yoga, JIT, DataLoader"),
        node("yoga.js", "yoga cache", "and its plugin that keeps whole answers", "on", True),
    ]


def _python() -> list[Contender]:
    return [
        Contender(
            "plain strawberry",
            "Strawberry, httpx, a DataLoader with one GET a key",
            [str(BIN / "python"), *UVICORN, "--port", "{port}", "plain_strawberry:app"],
            folder=PYTHON,
            environment={"UPSTREAM": "{upstream}"},
            install=install_python,
            connections=FEW,
            is_measured_once=True,
        )
    ]


def _floors() -> list[Contender]:
    return [
        _floor(
            "uvicorn ready",
            "the gateway's server sends the answer and does nothing else",
            [sys.executable, *UVICORN, "--port", "{port}", FLOOR],
        ),
        Contender(
            "nginx ready",
            "nginx does the same",
            ["nginx", "-c", "{config}"],
            template=HERE / "nginx-floor.conf",
            cold=False,
            floor=True,
        ),
    ]


def servers() -> list[Contender]:
    """ASGI servers to choose from, each with one worker and what makes it fast."""
    granian = ["--interface", "asgi", "--http", "1", "--no-ws", "--loop", "uvloop", "--no-log"]
    return [
        _floor("server uvicorn", "uvloop, httptools", [sys.executable, *UVICORN, "--port", "{port}", FLOOR]),
        _floor(
            "server granian",
            "one worker, uvloop",
            [str(BIN / "granian"), *granian, "--port", "{port}", FLOOR],
            install_python,
        ),
        _floor(
            "server hypercorn",
            "uvloop",
            [str(BIN / "hypercorn"), "--worker-class", "uvloop", "--bind", "127.0.0.1:{port}", FLOOR],
            install_python,
        ),
    ]


def _floor(
    name: str, meaning: str, command: list[str], install: Callable[[], object] | None = None
) -> Contender:
    environment = {"READY": "{folder}/ready", "PYTHONPATH": str(ROOT)}
    return Contender(name, meaning, command, environment=environment, install=install, cold=False, floor=True)


def tailcall_in(command: list[str]) -> list[str]:
    """Return the command with Tailcall's program in it, as it is started on this machine."""
    return [part for each in command for part in (tailcall_command() if each == "{tailcall}" else [each])]
