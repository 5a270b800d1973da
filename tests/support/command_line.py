"""Runs a command of ``server.py`` to its end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def server(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "server.py", *arguments],
        cwd=ROOT,
        env=os.environ | {"GATEWAY_STORAGE": ":memory:"} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
