"""Extends schemathesis, which loads this file, by a check: whatever is refused is refused as SECURITY.md says, and no
answer tells of the inside of the gateway.

It runs in the environment of schemathesis, which has nothing of the gateway.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import schemathesis

MEANT = frozenset(
    re.findall(
        r"^\| `([A-Z_]+)` \|",
        (Path(__file__).parents[2] / "SECURITY.md")
        .read_text(encoding="utf-8")
        .split("\n## schemathesis\n")[1],
        re.MULTILINE,
    )
)
"""The codes in the table of SECURITY.md."""

INSIDE = ("Traceback", "site-packages", ".py", "object at 0x")


def refusals_are_meant(_context: Any, response: Any, _case: Any) -> None:
    """Fail for an error with another code, and for what only the log may have."""
    for error in response.json().get("errors", ()):
        code = error.get("extensions", {}).get("code")
        assert code in MEANT, f"{code} is no refusal that SECURITY.md lists: {error['message']}"
    for word in INSIDE:
        assert word not in response.text, f"The answer has {word!r}."


schemathesis.check(refusals_are_meant)
