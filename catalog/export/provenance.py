"""Describes exported files: their version, its time, the source of the data, and whether these are demo data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

ATTRIBUTION = (
    "Data of Django Packages (https://djangopackages.org/) and its contributors, read over its REST API v4. Name it as "
    "the source, and ask it what its data may be used for."
)
DEMO = (
    "Demo data: five real packages of Django Packages (https://djangopackages.org/), the rest generated. They say "
    "nothing about any real package."
)
DOCUMENTATION = "docs/files.md"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Tells of the files of one version."""

    version: str
    """The version of the catalog, which is the hash of its content."""
    stored_at: datetime
    """When the gateway stored that version, in UTC."""
    demo: bool
    """Whether the data are those of the embedded upstream."""

    @property
    def source(self) -> str:
        """Return where the data come from, in whole sentences."""
        return DEMO if self.demo else ATTRIBUTION

    @property
    def facts(self) -> dict[str, str]:
        """Return what files say of themselves, by the name of the fact."""
        return {
            "version": self.version,
            "stored_at": self.stored_at.isoformat(timespec="seconds"),
            "origin": "demo" if self.demo else "site",
            "source": self.source,
            "documentation": f"{DOCUMENTATION} of the gateway, served at /docs/files.md",
        }
