"""Measures contenders: under load, and cold."""

from __future__ import annotations

import http.client
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from benchmarks.side_by_side.answers import HEADERS, TIME_LIMIT, WrongAnswer, check, posted, same
from benchmarks.side_by_side.contenders import CONNECTIONS, Contender
from benchmarks.side_by_side.environments import Upstream, knows_all, started
from benchmarks.side_by_side.install import CannotInstall
from benchmarks.side_by_side.load import Load, LoadFailed, load
from benchmarks.side_by_side.processes import Cores, DidNotStart, Running
from benchmarks.side_by_side.workload import NONCE, BenchmarkQuery

SAMPLE = 20
"""Answers that are compared after each load; before it too for Q5, which asks as Q4 does, and for the slow."""

AT_ONCE = 16
"""Requests under way while answers are compared: some mistakes are made only by requests that meet."""

LONGER = 2
"""Times as long is the load of a contender with fewer connections, which needs no warm-up."""

SMALLEST = 0.9
"""The share of the right answers' size, the least that answers under load can have: none has less in it than
ours."""

MAX_AGAIN, MAX_REPEATED = 2, 60
"""How often a load that was disturbed is measured again, and how many are in a whole run."""

FLOORS = ("Q1", "Q2", "Q3")
"""The queries of which the floors send the answers."""

LEARNING = 60
"""Seconds within which our gateway has to read the catalog."""

RECEIPT = {"X-Gateway-Receipt": "1"}
"""What makes our gateway tell what an answer took; others do not know it."""

FAILURES = (CannotInstall, DidNotStart, WrongAnswer, LoadFailed, OSError, http.client.HTTPException)
"""What leaves a gap in the tables, and stops nothing."""


@dataclass(frozen=True)
class Cold:
    """Holds the times of the first two answers of a fresh process to Q2, in milliseconds."""

    first: float
    requests: int
    """Upstream, for the first answer."""
    chain: int
    """The longest chain of them in which each began after the one before had ended."""
    rounds: int | None
    """The longest chain of them in which each needed the one before, as our gateway's receipt says."""
    second: float
    second_requests: int


class _Asked(msgspec.Struct):
    """Holds what the embedded upstream's log says since its reset, and what the receipt of the answer says, if it
    has one."""

    total: int
    longest_chain: int
    rounds: int | None = None


@dataclass
class Results:
    """Holds everything measured, by the names of contenders and queries."""

    loads: dict[str, dict[str, list[Load]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    memory: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Bytes, after all loads of a round."""
    cold: dict[str, list[Cold]] = field(default_factory=lambda: defaultdict(list))
    repeated: int = 0
    """How many loads were measured again, because other work on the machine disturbed them."""
    gaps: dict[str, str] = field(default_factory=dict)
    """Why something is missing, by what."""


@dataclass(frozen=True)
class Measuring:
    """Measures contenders, and holds the results."""

    cores: Cores
    folder: Path
    seconds: int
    """The seconds of each load."""
    warm_up: int
    """Seconds of load before it."""
    compared: int
    """How many answers of a query are compared before the load; by that caches are filled as well."""
    right: dict[str, list[bytes]]
    """The right answers by the query's name."""
    results: Results

    def under_load(self, contender: Contender, queries: Iterable[BenchmarkQuery], upstream: Upstream) -> None:
        """Measure one round: a fresh process, and every query that it can answer."""
        try:
            with started(contender, upstream, self.cores, self.folder) as (process, port):
                if contender.dialect == "ours":
                    _wait_until_all_is_known(port)
                for query in queries:
                    if takes(contender, query):
                        self._one_query(contender, query, process, port, upstream)
                self.results.memory[contender.name].append(process.memory())
        except FAILURES as error:
            self._gap(contender.name, error)

    def _one_query(
        self, contender: Contender, query: BenchmarkQuery, process: Running, port: int, upstream: Upstream
    ) -> None:
        measured = self.results.loads[contender.name][query.name]
        connections = contender.connections.get(query.name, CONNECTIONS)

        def compare(sample: int) -> None:
            if not contender.floor:
                right = self.right[query.name]
                check(port, contender.dialect, query, right[:sample], at_once=min(connections, AT_ONCE))

        def put_under_load(seconds: int) -> Load:
            return load(
                process,
                f"http://127.0.0.1:{port}/{query.name if contender.floor else 'graphql'}",
                [posted(text, variables | anew) for text, variables in requests],
                seconds=seconds,
                connections=connections,
                folder=self.folder,
                others=upstream.processes,
            )

        requests = [query.asked(contender.dialect, variables) for variables in query.variables]
        # What is another request each time by itself has its place for the nonce already.
        is_anew = contender.is_asked_anew and not query.executed
        anew: dict[str, object] = {"nonce": NONCE} if is_anew else {}
        slow = query.name in contender.connections
        try:
            compare(SAMPLE if query.executed or slow else self.compared)
            if self.warm_up and not slow:
                put_under_load(self.warm_up)
            seconds = self.seconds * (LONGER if slow else 1)
            seen = least_disturbed(lambda: put_under_load(seconds), self.results)
            self._judge(query, seen)
            compare(SAMPLE)
        except FAILURES as error:
            self._gap(f"{contender.name}, {query.name}", error)
            return
        measured.append(seen)
        _tell(f"{contender.name:20} {query.name:6} {seen.rate:10,.1f} a second, p99 {seen.p99:,.1f} ms")

    def _judge(self, query: BenchmarkQuery, seen: Load) -> None:
        """Refuse a load without answers, or with errors in place of data: wrk counts any 200, but they are small."""
        if not seen.rate:
            raise LoadFailed("no request was answered before the load ended")
        right = self.right.get(query.name)
        if right and seen.size < SMALLEST * sum(map(len, right)) / len(right):
            raise WrongAnswer(f"answers under load have {seen.size:,.0f} bytes on average: many have no data")

    def cold(self, contender: Contender, query: BenchmarkQuery, upstream: Upstream) -> None:
        """Measure the first answer of a fresh process to Q2, and the second."""
        try:
            with started(contender, upstream, self.cores, self.folder) as (_, port):
                first, asked = self._answered(contender, query, port, upstream, RECEIPT)
                second, asked_again = self._answered(contender, query, port, upstream, {})
        except FAILURES as error:
            self._gap(f"{contender.name}, cold", error)
            return
        cold = Cold(first, asked.total, asked.longest_chain, asked.rounds, second, asked_again.total)
        self.results.cold[contender.name].append(cold)
        _tell(f"{contender.name:20} cold   {first:10,.1f} ms, {cold.requests} requests")

    def _answered(
        self,
        contender: Contender,
        query: BenchmarkQuery,
        port: int,
        upstream: Upstream,
        headers: Mapping[str, str],
    ) -> tuple[float, _Asked]:
        """Milliseconds of one answer, and what was asked upstream for it."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIME_LIMIT)
        body = posted(*query.asked(contender.dialect, query.variables[0]))
        upstream.control("POST", "reset")
        try:
            connection.connect()
            began = time.perf_counter()
            connection.request("POST", "/graphql", body, {**HEADERS, **headers})
            answer = connection.getresponse().read()
            ended = time.perf_counter()
        finally:
            connection.close()
        if not same(answer, self.right[query.name][0]):
            raise WrongAnswer(f"the answer differs from the gateway's: {answer[:300]!r}")
        asked = msgspec.json.decode(upstream.control("GET", "requests"), type=_Asked)
        extensions = json.loads(answer).get("extensions", {})
        asked.rounds = extensions.get("upstream", {}).get("rounds")
        return 1e3 * (ended - began), asked

    def _gap(self, what: str, error: Exception) -> None:
        self.results.gaps[what] = str(error) or type(error).__name__
        _tell(f"{what}: {self.results.gaps[what]}")


def least_disturbed(measure: Callable[[], Load], results: Results) -> Load:
    """Return a load, measured again while other work on the machine disturbs it: the least disturbed of them."""
    seen = measure()
    for _ in range(MAX_AGAIN):
        if not seen.is_disturbed or results.repeated >= MAX_REPEATED:
            break
        results.repeated += 1
        seen = min(seen, measure(), key=lambda load: load.disturbance)
    return seen


def takes(contender: Contender, query: BenchmarkQuery) -> bool:
    """Return whether a contender is asked this: it can say it, and the query leaves it what it is there to
    show."""
    if contender.floor:
        return not query.documents or query.name in FLOORS
    skipped = query.executed and contender.keeps_answers and contender.dialect == "ours"
    return contender.dialect in query.documents and not skipped


def _wait_until_all_is_known(port: int) -> None:
    deadline = time.monotonic() + LEARNING
    # Each connection can be with another worker.
    while not all(knows_all(port) for _ in range(20)):
        if time.monotonic() > deadline:
            raise DidNotStart(f"the gateway has not read the catalog within {LEARNING} s")
        time.sleep(0.1)


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
