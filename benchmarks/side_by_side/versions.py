"""Tells which versions took part."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from importlib.metadata import version

from benchmarks.side_by_side.install import NODE, PYTHON

OURS = ["strawberry-graphql", "graphql-core", "starlette", "uvicorn", "uvloop", "httptools", "msgspec"]
PROGRAMS = [["node", "--version"], ["nginx", "-v"], ["wrk", "-v"]]


def versions() -> dict[str, str]:
    """Return versions by name: the gateway's libraries, the programs of the machine, the peers as they are
    pinned."""
    found = {name: version(name) for name in OURS}
    for program in PROGRAMS:
        if shutil.which(program[0]):
            done = subprocess.run(program, capture_output=True, text=True, check=False)
            told = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
            found[program[0]] = told[0] if told else "of unknown version"
    found |= json.loads((NODE / "package.json").read_text())["dependencies"]
    for line in (PYTHON / "requirements.txt").read_text().split():
        name, _, pinned = line.partition("==")
        found.setdefault(name, pinned)
    return found
