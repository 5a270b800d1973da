"""Tests the pauses between attempts: full jitter below a bound that doubles, or what upstream asks for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.numbers_of_examples import share_of
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
BOUNDS = [0.25, 0.5, 1.0, 2.0, *[LONGEST_JITTER] * 4]


async def pauses_after(error: UpstreamError, most: int | None = None) -> list[float]:
    """Return the seconds of each pause while every attempt fails with the error."""
    pauses: list[float] = []

    async def remember(seconds: float) -> None:
        pauses.append(seconds)

    async def fail() -> None:
        raise error

    with pytest.raises(type(error)):
        await POLICY.attempts(most).copy(sleep=remember)(fail)
    return pauses


async def test_a_pause_is_anything_up_to_a_bound_that_doubles() -> None:
    rounds = [await pauses_after(PASSES) for _ in share_of(range(500))]
    for bound, pauses in zip(BOUNDS, zip(*rounds, strict=True), strict=True):
        assert max(pauses) <= bound
        # All of 500 draws are in the same half in one case of 10^150, and all of a fifth of them in one of 10^30.
        assert min(pauses) < bound / 2 < max(pauses)


@pytest.mark.parametrize(("most", "pauses"), [(None, 8), (3, 2), (1, 0)])
async def test_the_last_attempt_has_no_pause_behind_it(most: int | None, pauses: int) -> None:
    assert len(await pauses_after(PASSES, most)) == pauses


@pytest.mark.parametrize(
    ("error", "pauses"),
    [
        (UpstreamUnavailable("It is down.", retry_after=3.0, status=503), [3.0] * 8),
        (UpstreamUnavailable("It is down.", retry_after=5.5, status=503), []),
        (UpstreamUnavailable("It does not know how.", status=501), []),
        (UpstreamBadData("It is nonsense."), []),
    ],
)
async def test_upstream_decides_a_pause_that_is_short_enough(
    error: UpstreamError, pauses: list[float]
) -> None:
    assert await pauses_after(error) == pauses
