"""The pauses between attempts: full jitter below a bound that doubles, or what upstream asks for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.settings_for_tests import CLIENT_LIMITS
from upstream.client.retry_policy import LONGEST_JITTER, RetryPolicy
from upstream.client.upstream_errors import (
    UpstreamBadData,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnavailable,
)

POLICY = RetryPolicy(replace(CLIENT_LIMITS, attempts=9, first_pause=0.25, longest_pause=5.0))
PASSES = UpstreamTimeout("Upstream did not answer.")


@pytest.mark.parametrize(
    ("attempt", "bound"), [(1, 0.25), (2, 0.5), (3, 1.0), (4, 2.0), (5, LONGEST_JITTER), (8, LONGEST_JITTER)]
)
def test_a_pause_is_anything_up_to_a_bound_that_doubles(attempt: int, bound: float) -> None:
    pauses = [POLICY.pause(PASSES, attempt) or 0.0 for _ in range(500)]
    assert max(pauses) <= bound
    # Half of 500 draws are in each half, but for one case in 10^150.
    assert min(pauses) < bound / 2 < max(pauses)


@pytest.mark.parametrize(("attempt", "most", "pauses"), [(8, None, True), (9, None, False), (1, 1, False)])
def test_the_last_attempt_has_no_pause_behind_it(attempt: int, most: int | None, *, pauses: bool) -> None:
    assert (POLICY.pause(PASSES, attempt, most) is not None) is pauses


@pytest.mark.parametrize(
    ("error", "pause"),
    [
        (UpstreamUnavailable("It is down.", retry_after=3.0, status=503), 3.0),
        (UpstreamUnavailable("It is down.", retry_after=5.5, status=503), None),
        (UpstreamUnavailable("It does not know how.", status=501), None),
        (UpstreamBadData("It is nonsense."), None),
    ],
)
def test_upstream_decides_a_pause_that_is_short_enough(error: UpstreamError, pause: float | None) -> None:
    assert POLICY.pause(error, 1) == pause
