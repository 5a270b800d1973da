"""Tests the generated catalog in its file: the same as generated, and generated anew whenever the file is not right."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.generated_upstreams import shared_rows
from upstream.embedded import EmbeddedCatalog, cached_catalog


class Generator:
    """Makes a catalog, which all tests share, and counts how often it is asked to."""

    def __init__(self, *packages: int) -> None:
        self.catalog = shared_rows(*packages)
        self.calls = 0

    def __call__(self) -> EmbeddedCatalog:
        self.calls += 1
        return self.catalog


@pytest.fixture
def generator() -> Generator:
    return Generator(300)


def rows(catalog: EmbeddedCatalog) -> list[object]:
    return [catalog.packages, catalog.grids, catalog.categories]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("kept") / "folder" / "catalog.msgpack"
    cached_catalog(file, Generator(300))
    return file


@pytest.fixture
def file(written: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "catalog.msgpack"
    copy.write_bytes(written.read_bytes())
    return copy


def test_it_is_the_same_as_generated(tmp_path: Path) -> None:
    # The whole catalog has every trap of the contract.
    generator = Generator()
    generated, kept = (cached_catalog(tmp_path / "catalog.msgpack", generator) for _ in range(2))
    assert generator.calls == 1
    assert kept is not generated
    assert rows(kept) == rows(generated)
    assert [list(kind) for kind in (kept.packages, kept.grids)] == [
        list(kind) for kind in (generated.packages, generated.grids)
    ]


def test_only_its_file_is_left(written: Path) -> None:
    assert os.listdir(written.parent) == [written.name]


@pytest.mark.parametrize("damage", ["empty", "cut", "changed", "of another generator", "no catalog"])
def test_a_file_that_is_not_right_is_written_anew(file: Path, damage: str, generator: Generator) -> None:
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
    assert rows(cached_catalog(file, generator)) == rows(generator.catalog)
    assert generator.calls == 1
    assert file.read_bytes() == right


def test_a_place_where_nothing_can_be_kept_costs_only_time(tmp_path: Path, generator: Generator) -> None:
    (tmp_path / "a file").touch()
    file = tmp_path / "a file" / "catalog.msgpack"
    assert rows(cached_catalog(file, generator)) == rows(generator.catalog)
    assert not file.exists()
    folder = tmp_path / "a folder"
    folder.mkdir()
    assert rows(cached_catalog(folder, generator)) == rows(generator.catalog)
    assert generator.calls == 2
    assert sorted(os.listdir(tmp_path)) == ["a file", "a folder"]
