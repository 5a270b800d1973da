"""Tests what a process keeps over publishes: of the documents that came between them only those that it may keep."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from gateway.document_cache import CACHED_DOCUMENTS

ROOT = Path(__file__).parents[2]


def after(publishes: int) -> Any:
    command = [sys.executable, "-m", "tests.support.publishes", str(publishes)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_no_document_is_kept_because_a_catalog_was_published() -> None:
    once, often = after(1), after(3)
    assert once["documents"] == often["documents"] == CACHED_DOCUMENTS
    assert max(once["frozen"], often["frozen"]) <= 0  # some of them have been freed
