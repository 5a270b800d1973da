"""Tests whether two gateways answered the same."""

from __future__ import annotations

import pytest

from benchmarks.side_by_side.answers import same

OURS = (
    b'{"data":{"packages":{"nodes":[{"title":"a","grids":[{"title":"g","packages":[{"title":"b"}]}]},'
    b'{"title":"c"}]}}}'
)


def test_wrappers_do_not_count() -> None:
    tailcall = (
        b'{"data":{"packages":{"results":[{"title":"a","grids":[{"grid":{"title":"g","packages":'
        b'[{"package":{"title":"b"}}]}}]},{"title":"c"}]}}}'
    )
    assert same(tailcall, OURS)


def test_the_order_in_a_relation_does_not_count() -> None:
    one, other = (
        b'{"data":{"package":{"title":"a","grids":[{"title":"g"},{"title":"h"}]}}}',
        b'{"data":{"package":{"title":"a","grids":[{"title":"h"},{"title":"g"}]}}}',
    )
    assert same(one, other)


@pytest.mark.parametrize(
    "other",
    [
        OURS.replace(b'"b"', b'"another package"'),
        OURS.replace(b'[{"title":"b"}]', b"[]"),
        b'{"data":{"packages":{"nodes":[{"title":"c"},'
        b'{"title":"a","grids":[{"title":"g","packages":[{"title":"b"}]}]}]}}}',
        OURS[:-1] + b',"errors":[{"message":"but"}]}',
        b'{"data":null}',
        b"[]",
        b"<h1>502</h1>",
        b"",
    ],
    ids=["a value", "a list", "the order of a page", "errors", "no data", "a list alone", "HTML", "nothing"],
)
def test_everything_else_counts(other: bytes) -> None:
    assert not same(other, OURS)
    assert not same(OURS, other)
