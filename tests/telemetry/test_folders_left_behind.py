"""The folder of a server that was killed is removed by the next start, and no other folder is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

SERVER = """
import os, signal, sys
from telemetry import folder_for_workers
with folder_for_workers():
    print(os.environ["DJANGOPACKAGES_GRAPHQL_WORKERS"], flush=True)
    sys.stdin.readline()
    os.kill(os.getpid(), signal.SIGKILL)
"""
"""It makes its folder, and is killed as soon as its input has a line or ends."""


def started(place: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SERVER],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(place)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def folder_of(process: subprocess.Popen[str]) -> Path:
    """Return the folder of a server, which is there by then."""
    assert process.stdout is not None
    return Path(process.stdout.readline().strip())


def test_a_start_removes_the_folders_of_servers_that_were_killed(tmp_path: Path) -> None:
    foreign = tmp_path / "gateway-workers-of-no-server"
    foreign.mkdir()
    with started(tmp_path) as lives, started(tmp_path) as killed:
        kept, left = folder_of(lives), folder_of(killed)
        (left / "1-1.worker").write_bytes(b"measured")
        killed.communicate("\n", timeout=60)
        assert left.exists()
        with started(tmp_path) as next_start:
            its_own = folder_of(next_start)
            assert {*tmp_path.iterdir()} == {foreign, kept, its_own}
            next_start.communicate("\n", timeout=60)
        lives.communicate("\n", timeout=60)
