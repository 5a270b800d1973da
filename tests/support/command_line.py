"""Runs a command of ``server.py`` to its end."""

from __future__ import annotations

import os
import subprocess

from tests.support.forked_programs import run_forked


def server(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return run_forked(["server.py", *arguments], os.environ | {"GATEWAY_STORAGE": ":memory:"} | environment)
