"""Reads the five real records from the pages that they were taken from.

A document is the browsable API's text: header lines, a blank line, then the JSON.
"""

from importlib.resources import files
from typing import Any

import msgspec

from .row_types import PackageRow, package_from_v4

SEED_IDS = (683, 1442, 1599, 1686, 2674)


def seed_record(package_id: int) -> dict[str, Any]:
    """Return the JSON of one seed document, exactly as it was served."""
    document = files(__package__).joinpath("seeds", f"package-{package_id}.txt").read_bytes()
    record: dict[str, Any] = msgspec.json.decode(document[document.index(b"\n{") :])
    return record


def seed_packages() -> list[PackageRow]:
    """Return the five seeds as rows, by id."""
    return [package_from_v4(seed_record(package_id)) for package_id in SEED_IDS]
