"""A command whose output cannot be written says so in a sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from tests.support.forked_programs import ROOT, ForkedProgram

FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="Only Linux has a file that is always full.")
@pytest.mark.parametrize("arguments", [("query", "{ __typename }"), ("schema",), ("--version",)])
def test_a_command_whose_output_is_full_says_so(arguments: tuple[str, ...]) -> None:
    environment = os.environ | {"GATEWAY_STORAGE": ":memory:"}
    with FULL.open("w") as full, TemporaryFile("w+", encoding="utf-8") as errors:
        assert ForkedProgram(["server.py", *arguments], environment, full, errors).wait(120) == 1
        errors.seek(0)
        assert errors.read() == "The output cannot be written: No space left on device.\n"


@pytest.mark.skipif(os.name != "posix", reason="Only a POSIX shell starts a program whose output is closed.")
@pytest.mark.parametrize("arguments", [("query", "{ __typename }"), ("schema",), ("--version",)])
def test_a_command_whose_output_is_closed_says_so(arguments: tuple[str, ...]) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "server.py", *arguments],
        cwd=ROOT,
        env=os.environ | {"GATEWAY_STORAGE": ":memory:"},
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
    )
    assert done.stderr == "The output cannot be written because it is closed.\n"
    assert done.returncode == 1
