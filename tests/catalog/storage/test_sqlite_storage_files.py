"""A corrupt, foreign or deleted catalog file is begun anew; one that cannot be used is refused in a sentence."""

from __future__ import annotations

import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from catalog.storage.sqlite_storage import Storage
from tests.support.numbers_of_examples import share_of
from tests.support.stored_catalogs import A, B, a_catalog, begin, change, save, stored_in
from upstream.client.upstream_errors import StorageUnavailable

ROOT = Path(__file__).parents[3]


def the_one_set_aside(path: Path) -> Path:
    (aside,) = path.parent.glob(f"{path.name}.set-aside-????????T??????.??????Z")
    return aside


def expect_it_set_aside(path: Path, because: str, caplog: pytest.LogCaptureFixture) -> None:
    """Check that a start moves the file away as it is, says so, and begins a new one that works."""
    before = path.read_bytes()
    begin(path, B)
    aside = the_one_set_aside(path)
    assert caplog.messages == [
        f"The catalog file {path} {because}; it was set aside as {aside}, and a new one was begun."
    ]
    assert aside.read_bytes() == before
    assert stored_in(path) == B


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: random.Random(1).randbytes(20_000),
        lambda body: b"short",
        lambda body: body[: len(body) // 2],
        lambda body: body[:-4096],
        lambda body: body[:4096] + bytes(4096) + body[8192:],
        lambda body: body[:4096] + body[4096:4196][::-1] + body[4196:],
    ],
    ids=["random", "short", "half", "all but a page", "a page of zeros", "a garbled page header"],
)
def test_a_corrupt_file_is_set_aside(
    path: Path, caplog: pytest.LogCaptureFixture, spoil: Callable[[bytes], bytes]
) -> None:
    begin(path, A)
    path.write_bytes(spoil(path.read_bytes()))
    expect_it_set_aside(path, "is corrupt", caplog)


def test_flipped_bytes_cost_the_rows_they_hit_or_the_file_is_set_aside(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    begin(path, A)
    whole = path.read_bytes()
    draw = random.Random(1)
    for page in share_of(draw.sample(range(1, len(whole) // 4096), 25)):
        place = page * 4096 + draw.randrange(1000, 3000)
        path.write_bytes(
            whole[:place] + bytes(255 - byte for byte in whole[place:][:16]) + whole[place + 16 :]
        )
        caplog.clear()
        loaded = stored_in(path)
        if loaded is not None:
            assert set(loaded.packages) <= set(A.packages)
            assert set(loaded.grids) <= set(A.grids)
        assert loaded == A or caplog.messages
        begin(path, B)
        assert stored_in(path) == B


def test_a_file_of_another_program_is_set_aside(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    change(path, "CREATE TABLE records (kind, id, body)")
    expect_it_set_aside(path, "belongs to another program", caplog)


def test_a_file_of_another_layout_is_set_aside(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    begin(path, A)
    change(path, "PRAGMA user_version = 4")
    expect_it_set_aside(path, "has layout 4, and this program knows layout 3", caplog)


def test_a_file_without_its_tables_is_set_aside(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    begin(path, A)
    change(path, "DROP TABLE lease")
    expect_it_set_aside(path, "lacks its tables", caplog)


def test_an_empty_file_is_begun(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.touch()
    begin(path, A)
    assert stored_in(path) == A
    assert caplog.messages == []


def test_of_several_that_start_with_a_corrupt_file_one_sets_it_aside(path: Path) -> None:
    path.write_bytes(random.Random(1).randbytes(20_000))
    with ThreadPoolExecutor(8) as threads:
        for storage in threads.map(lambda _: Storage(str(path)), range(8)):
            storage.close()
    assert the_one_set_aside(path).stat().st_size == 20_000


def test_a_file_in_use_is_set_aside_with_its_log_and_stays_whole(path: Path) -> None:
    begin(path, A)
    with closing(sqlite3.connect(path)) as user:
        user.execute("PRAGMA user_version = 4")
        begin(path, B)
        aside = the_one_set_aside(path)
        assert Path(f"{aside}-wal").exists()
        assert Path(f"{aside}-shm").exists()
        assert user.execute("SELECT count(*) FROM records").fetchone() == (304,)
        with closing(Storage(str(path))) as storage:
            user.close()
            save(storage, A)
    assert stored_in(path) == A
    change(aside, "PRAGMA user_version = 3")
    assert stored_in(aside) == A


def test_a_file_deleted_while_open_is_begun_anew(
    storage: Storage, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save(storage, A)
    path.unlink()  # its log and shared memory stay, as after a start that was killed half way
    with closing(Storage(str(path))) as other:
        assert other.load() is None
        save(other, A)
        assert storage.saved() == ("A", A.refreshed_at)
        save(storage, B)
        assert other.load() == B
    assert caplog.messages == [f"The catalog file {path} was replaced or deleted; it was opened anew."]


def test_a_running_process_leaves_the_file_of_a_newer_program_alone(storage: Storage, path: Path) -> None:
    save(storage, A)
    path.unlink()
    begin(path, B)
    change(path, "PRAGMA user_version = 4")
    with pytest.raises(StorageUnavailable) as refusal:
        storage.load()
    assert str(refusal.value) == (
        f"The catalog file {path} cannot be used: it has layout 4, and this program knows layout 3."
    )
    change(path, "PRAGMA user_version = 3")
    assert storage.load() == B


def test_a_path_that_cannot_be_opened_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path, reason in {
        tmp_path: "it is a directory",
        tmp_path / "none" / "catalog": f"{tmp_path / 'none'}: No such file or directory",
        tmp_path / "file" / "catalog": f"{tmp_path / 'file'}: Not a directory",
    }.items():
        with pytest.raises(StorageUnavailable) as refusal:
            Storage(str(path))
        assert str(refusal.value) == f"The catalog file {path} cannot be used: {reason}."


OPEN_WITHOUT_RIGHTS = """
import os, sys
from upstream.client.upstream_errors import StorageUnavailable
from catalog.storage.sqlite_storage import Storage
if os.geteuid() == 0:
    os.setuid(65534)
for path in sys.argv[1:]:
    try:
        Storage(path)
    except StorageUnavailable as refusal:
        print(refusal)
"""


def test_a_path_that_may_not_be_written_is_refused_in_one_sentence() -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to other users
        folder = Path(name)
        begin(folder / "old", A)
        (folder / "old").chmod(0o444)
        folder.chmod(0o555)
        paths = [str(folder / "old"), str(folder / "new")]
        command = [sys.executable, "-c", OPEN_WITHOUT_RIGHTS, *paths]
        output = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
        folder.chmod(0o755)
    assert output.splitlines() == [
        f"The catalog file {path} cannot be used: it or its folder may not be written." for path in paths
    ]


def test_a_disk_that_takes_no_more_fails_the_save_and_not_the_load(storage: Storage, path: Path) -> None:
    save(storage, A)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, limits[1]))
    try:
        with pytest.raises(StorageUnavailable) as refusal:
            save(storage, a_catalog("C", packages=3000))
        assert storage.load() == A
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert str(refusal.value) == f"The catalog file {path} cannot be used: disk I/O error."
    save(storage, B)
    assert storage.load() == B
