"""Tests that the lines of records and of changes, over many random versions, prove every version by its hash."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

from catalog.export.columns import TABLES
from catalog.export.ndjson_writing import write_changes, write_lines
from catalog.indexed_catalog import Catalog
from catalog.storage.sqlite_storage import Storage
from tests.support.gateways_with_files import KINDS, Records, hash_of, lines_in, replayed
from tests.support.numbers_of_examples import share_of
from tests.support.versioned_catalogs import Clock, keep_versions

VERSIONS, PAIRS = 60, 200


def records_of(catalog: Catalog, path: Path) -> Records:
    names = {name: kind for kind, name in KINDS.items()}
    records: Records = {}
    for table in TABLES:
        if table.name in names:
            write_lines(table, catalog, path)
            read = (json.loads(line) for line in lines_in(path.read_bytes()))
            records[names[table.name]] = {record["id"]: record for record in read}
    return records


def test_changes_between_any_two_versions_lead_from_one_to_the_other(tmp_path: Path) -> None:
    storage, clock, draw = Storage(":memory:"), Clock(), Random(3)
    catalogs = keep_versions(storage, clock, VERSIONS, draw)
    records = [records_of(catalog, tmp_path / "lines") for catalog in catalogs]
    assert [hash_of(each) for each in records] == [catalog.version for catalog in catalogs]
    numbers = {each.version: each.number for each in storage.history.versions(limit=VERSIONS)}
    kinds = set()
    for _ in share_of(range(PAIRS)):
        one, other = draw.randrange(VERSIONS), draw.randrange(VERSIONS)
        since, until = catalogs[one].version, catalogs[other].version
        write_changes(storage.history.difference(numbers[since], numbers[until]), tmp_path / "changes")
        changes = (tmp_path / "changes").read_bytes()
        assert hash_of(replayed(records[one], changes)) == until
        kinds |= {(change["change"], change["kind"]) for change in map(json.loads, changes.splitlines())}
    assert len(kinds) == 9
    storage.close()
