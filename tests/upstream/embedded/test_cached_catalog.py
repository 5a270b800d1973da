"""Tests the generated catalog in its file: the same as generated, and generated anew whenever the file is not right."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.generated_upstreams import shared_rows
from upstream.embedded import EmbeddedCatalog, cached_catalog


class Generator:
    """Makes the whole catalog, which all tests share, and counts how often it is asked to."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> EmbeddedCatalog:
        self.calls += 1
        return shared_rows()


@pytest.fixture
def generator() -> Generator:
    return Generator()


def rows(catalog: EmbeddedCatalog) -> list[object]:
    return [catalog.packages, catalog.grids, catalog.categories]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("kept") / "folder" / "catalog.msgpack"
    cached_catalog(file, Generator())
    return file


@pytest.fixture
def file(written: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "catalog.msgpack"
    copy.write_bytes(written.read_bytes())
    return copy


def test_it_is_the_same_as_generated(
    file: Path, generator: Generator, whole_embedded_catalog: EmbeddedCatalog
) -> None:
    kept = cached_catalog(file, generator)
    assert kept is not whole_embedded_catalog
    assert rows(kept) == rows(whole_embedded_catalog)
    assert [list(kind) for kind in (kept.packages, kept.grids)] == [
        list(kind) for kind in (whole_embedded_catalog.packages, whole_embedded_catalog.grids)
    ]
    assert generator.calls == 0


def test_only_its_file_is_left(written: Path) -> None:
    assert os.listdir(written.parent) == [written.name]


@pytest.mark.parametrize("damage", ["empty", "cut", "changed", "of another generator", "no catalog"])
def test_a_file_that_is_not_right_is_written_anew(
    file: Path, damage: str, generator: Generator, whole_embedded_catalog: EmbeddedCatalog
) -> None:
    right = file.read_bytes()
    middle = len(right) // 2
    wrong = {
        "empty": b"",
        "cut": right[:-1],
        "changed": right[:middle] + bytes([right[middle] ^ 1]) + right[middle + 1 :],
        "of another generator": bytes(32) + right[32:],
        "no catalog": b"\x00" * len(right),
    }
    file.write_bytes(wrong[damage])
    assert rows(cached_catalog(file, generator)) == rows(whole_embedded_catalog)
    assert generator.calls == 1
    assert file.read_bytes() == right


def test_a_place_where_nothing_can_be_kept_costs_only_time(
    tmp_path: Path, generator: Generator, whole_embedded_catalog: EmbeddedCatalog
) -> None:
    (tmp_path / "a file").touch()
    file = tmp_path / "a file" / "catalog.msgpack"
    assert rows(cached_catalog(file, generator)) == rows(whole_embedded_catalog)
    assert not file.exists()
    folder = tmp_path / "a folder"
    folder.mkdir()
    assert rows(cached_catalog(folder, generator)) == rows(whole_embedded_catalog)
    assert generator.calls == 2
    assert sorted(os.listdir(tmp_path)) == ["a file", "a folder"]
