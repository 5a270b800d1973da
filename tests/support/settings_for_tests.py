"""Provides the settings that tests run with, whatever the environment says, and the groups that parts take of them."""

from __future__ import annotations

from typing import Any

import setting_groups
from gateway.federation_router import FederationRouter
from settings import ROWS, Settings

UPSTREAM_URL = "http://upstream.test/api/v4/"


def settings_for_tests(**changes: object) -> Settings:
    """Give the defaults, but all live and in memory, with one attempt for each request, so that counts are plain.

    ``changes`` may go beyond what a setting allows: tests need shorter times and larger limits than operators do.
    """
    ours: dict[str, Any] = {
        "upstream": UPSTREAM_URL,
        "storage": ":memory:",
        "crawl": "off",
        "upstream_attempts": 1,
        # A busy machine may take longer than the defaults.
        "limit_waiting_seconds": 30,
        "search_wait": 60,
    }
    unknown = changes.keys() - ROWS.keys()
    assert not unknown, f"There are no settings {unknown}."
    return Settings(**(ours | changes))


SETTINGS = settings_for_tests()
CLIENT_LIMITS = setting_groups.client_limits(SETTINGS)
DOCUMENT_LIMITS = setting_groups.document_limits(SETTINGS)
RUN_LIMITS = setting_groups.run_limits(SETTINGS)
SCHEDULE = setting_groups.schedule(SETTINGS)
GUARD_LIMITS = setting_groups.guard_limits(SETTINGS)
FRESHNESS = setting_groups.freshness(SETTINGS)
ADMISSION_LIMITS = setting_groups.admission_limits(SETTINGS)
CONNECTION_LIMITS = setting_groups.connection_limits(SETTINGS)
ROUTER = FederationRouter("", SETTINGS.limit_entities)
"""Knows no router."""
BUDGET = SETTINGS.upstream_budget
"""Searches and unknown keys a minute."""
