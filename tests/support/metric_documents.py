"""Reads the table of metrics in the documents."""

from __future__ import annotations

import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| (.*?) \| .+? \| (.+) \|$", re.MULTILINE)


def documented() -> dict[str, tuple[str, tuple[str, ...], str]]:
    """Return what the table says of each metric: its type, its labels and its sentence."""
    rows = ROW.findall(DOCUMENT.read_text(encoding="utf-8"))
    return {name: (type, tuple(re.findall(r"`(\w+)`", labels)), help) for name, type, labels, help in rows}
