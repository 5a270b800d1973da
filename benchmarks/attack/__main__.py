"""Attacks a gateway on this machine as strangers would, and says what that costs the gateway.

    python -m benchmarks.attack
    python -m benchmarks.attack --url http://127.0.0.1:8000
    python -m benchmarks.attack --only "largest answer"

Without an address it starts a gateway over an embedded upstream of 5,400 packages. It attacks loopback alone, and ends
within five minutes; what is left by then is not run, and said. The figures of November 2026 stand beside.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import sys
import time
from contextlib import nullcontext

from benchmarks.attack import crowds, fatal_attacks, single_requests, sockets
from benchmarks.attack.case import Scale
from benchmarks.attack.measuring import AttackFigures, attacked, machine
from benchmarks.attack.report import line, table
from benchmarks.attack.target import NotOurs, running_at, started
from benchmarks.side_by_side.processes import end_in_order, two_cores

PACKAGES = 5400
WHOLE = 300.0
"""Seconds for all of it."""
CASES = (*single_requests.CASES, *fatal_attacks.CASES, *sockets.CASES, *crowds.CASES)


def main() -> None:
    """Attack, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--url", help="a gateway that runs on this machine; else one is started")
    parser.add_argument("--only", default="", help="the attacks with this in their names")
    arguments = parser.parse_args()
    end_in_order()
    ends = time.monotonic() + WHOLE
    # Thousands of connections need as many descriptors.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    cores = two_cores()
    try:
        running = (
            nullcontext(running_at(arguments.url)) if arguments.url else started(PACKAGES, cores.gateway)
        )
    except NotOurs as error:
        sys.exit(str(error))
    rows: list[AttackFigures] = []
    with running as target:
        for case in CASES:
            if arguments.only not in case.name:
                continue
            left = ends - time.monotonic()
            if left > 0:
                row = asyncio.run(attacked(case, target, Scale(), PACKAGES, cores.gateway, left))
            else:
                row = AttackFigures(case.name, case.before)
                row.sent.note = "not run: the five minutes are over"
            sys.stderr.write(" | ".join(line(row)) + "\n")
            rows.append(row)
    sys.stdout.write(f"Measured on {machine()}; the clients ran beside the gateway.\n\n{table(rows)}")


if __name__ == "__main__":
    main()
