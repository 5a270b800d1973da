"""Tests the file of a manifest: what is read of it, and how a file that is none is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.document_cache import DocumentCache
from gateway.persisted.manifest_format import Manifest, WrongManifest, read_manifest, unfit_documents
from tests.support.persisted_documents import TEXT
from tests.support.settings_for_tests import DOCUMENT_LIMITS
from tests.support.trusted_documents import (
    OTHER,
    apollo_manifest,
    write,
)

DOCUMENTS = DocumentCache(DOCUMENT_LIMITS)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("", "truncated"),
        ("[]", "Expected `object`, got `array`"),
        ('{"a": 7}', "Expected `str`, got `int` - at `$[...]`"),
        ('{"format": "x", "version": 1, "operations": []}', "Invalid enum value 'x' - at `$.format`"),
        (json.dumps(apollo_manifest() | {"version": 2}), "Invalid enum value 2 - at `$.version`"),
        (json.dumps(apollo_manifest() | {"operations": [{"id": "a"}]}), "missing required field `name`"),
        ("[" * 10_000, "recursion"),
    ],
    ids=["empty", "array", "no texts", "format", "version", "operation", "deep"],
)
def test_a_file_that_is_no_manifest_is_told_with_the_place(path: Path, content: str, part: str) -> None:
    write(path, content)
    with pytest.raises(WrongManifest) as error:
        read_manifest(path)
    assert str(error.value).startswith(f"{path} is not a manifest of persisted documents, ")
    assert part in str(error.value)


def test_bytes_that_are_no_text_are_no_manifest(path: Path) -> None:
    path.write_bytes(b'{"a": "\xff"}')
    with pytest.raises(WrongManifest, match="is not a manifest"):
        read_manifest(path)


def test_a_missing_file_is_told(path: Path) -> None:
    with pytest.raises(WrongManifest, match=r"The manifest .* cannot be read: No such file or directory\.$"):
        read_manifest(path)


def test_an_id_twice_with_different_texts_is_wrong(path: Path) -> None:
    operations = [{"id": "a", "name": name, "body": text} for name, text in [("A", TEXT), ("B", OTHER)]]
    write(path, apollo_manifest() | {"operations": operations})
    with pytest.raises(WrongManifest, match='has the id "a" twice, with different texts'):
        read_manifest(path)


def test_a_byte_order_mark_is_no_matter(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps({"a": TEXT}).encode())
    manifest = read_manifest(path)
    assert manifest.find("a") == TEXT
    assert list(unfit_documents(manifest, DOCUMENTS)) == [None]


def test_an_empty_manifest_is_one(path: Path) -> None:
    write(path, {})
    assert read_manifest(path) == Manifest()
