"""Lets schemathesis ask a gateway that is started for it, and ends as it ends.

    python -m tests.schemathesis .cache/schemathesis/bin/st --max-examples 20

The first argument is the command of schemathesis, which has an environment of its own. The others are handed to it.
"""

from __future__ import annotations

import os
import subprocess
import sys

from benchmarks.attack.target import started
from benchmarks.side_by_side.processes import ROOT, end_in_order

CONFIG = ROOT / "tests" / "schemathesis" / "schemathesis.toml"
PACKAGES = 600
LIMIT = 300
"""The seconds that schemathesis has."""


def main() -> None:
    """Run it."""
    command, *arguments = sys.argv[1:]
    end_in_order()
    with started(PACKAGES, max(os.sched_getaffinity(0))) as gateway:
        run = [
            command,
            "--config-file",
            str(CONFIG),
            "run",
            f"{gateway.address}/graphql",
            "--phases",
            "fuzzing",
        ]
        done = subprocess.run([*run, *arguments], cwd=ROOT, timeout=LIMIT)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
