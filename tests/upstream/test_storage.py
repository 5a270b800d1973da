"""The catalog on disk: whole after every crash, and never in the way of a start."""

from __future__ import annotations

import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import msgspec
import pytest

from upstream.records import Category, Grid, Package
from upstream.storage import Storage, StorageUnavailable, Stored

ROOT = Path(__file__).parents[2]
NEPAL = timezone(timedelta(hours=5, minutes=45))
MOMENT = datetime(2024, 2, 29, 23, 59, 59, 123456, NEPAL)


def a_package(id: int, title: str = "A package") -> Package:
    return Package(
        id=id,
        title=title,
        slug=f"package-{id}",
        last_updated=MOMENT,
        last_fetched=None,
        repo_url="https://example.com/an/repository",
        pypi_version="1.0",
        created=MOMENT.replace(microsecond=1),
        modified=MOMENT.astimezone(UTC),
        repo_forks=3,
        repo_description='tea 🫖, a line\u2028and \x00 \\ " é',
        pypi_url="",
        documentation_url=None,
        repo_watchers=2**40,
        commits_over_52=(0, 1, 2),
        participants=("ada", "grace"),
        category=1,
        grids=(9, 7),
    )


def a_grid(id: int, title: str = "A grid") -> Grid:
    return Grid(
        id=id,
        title=title,
        slug=f"grid-{id}",
        description="",
        is_locked=False,
        header=True,
        created=MOMENT,
        modified=MOMENT,
        packages=(3, 1, 2),
    )


def a_category(id: int, title: str = "A category") -> Category:
    return Category(
        id=id,
        title=title,
        slug=f"category-{id}",
        description="",
        title_plural="Categories",
        show_pypi=True,
        created=MOMENT,
        modified=MOMENT,
    )


def a_catalog(version: str, packages: int = 300) -> Stored:
    """A catalog of which every record differs from those of another version."""
    return Stored(
        version=version,
        refreshed_at=datetime(2025, 1, 2, 3, 4, 5, 678901, UTC),
        packages=tuple(a_package(id, version) for id in range(packages, 0, -1)),
        grids=(a_grid(9, version), a_grid(7, version)),
        categories=(a_category(1, version),),
    )


A, B = a_catalog("A"), a_catalog("B")

Saving = Callable[[], subprocess.Popen[str]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalog.sqlite"


@pytest.fixture
def storage(path: Path) -> Iterator[Storage]:
    with closing(Storage(str(path))) as storage:
        yield storage


def save(storage: Storage, catalog: Stored) -> None:
    storage.save(**vars(catalog))


def stored_in(path: Path) -> Stored | None:
    """What a start finds in the file."""
    with closing(Storage(str(path))) as storage:
        return storage.load()


def begin(path: Path, catalog: Stored) -> None:
    with closing(Storage(str(path))) as storage:
        save(storage, catalog)


def change(path: Path, statement: str, *parameters: object) -> None:
    """Change the file behind the storage's back."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, parameters)


def test_nothing_was_saved_yet(storage: Storage) -> None:
    assert storage.load() is None
    assert storage.saved() is None


@pytest.mark.parametrize("place", ["catalog.sqlite", ":memory:"])
def test_every_field_comes_back_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with closing(Storage(place)) as storage:
        save(storage, A)
        loaded = storage.load()
        assert loaded == A
        # Equal moments can have different offsets; equal JSON cannot.
        assert msgspec.json.encode(loaded) == msgspec.json.encode(A)
        assert storage.saved() == ("A", A.refreshed_at)
    assert list(tmp_path.iterdir()) == ([] if place == ":memory:" else [tmp_path / place])


def test_refreshed_at_comes_back_in_utc(storage: Storage) -> None:
    save(storage, replace(A, refreshed_at=MOMENT))
    loaded = storage.load()
    assert loaded is not None
    assert (loaded.refreshed_at, loaded.refreshed_at.utcoffset()) == (MOMENT, timedelta(0))


def test_records_come_newest_id_first(storage: Storage) -> None:
    save(storage, replace(A, packages=A.packages[::-1], grids=A.grids[::-1]))
    assert storage.load() == A


def test_a_restart_finds_the_catalog(path: Path) -> None:
    begin(path, A)
    assert stored_in(path) == A


def test_a_save_writes_exactly_the_rows_that_differ(storage: Storage, path: Path) -> None:
    save(storage, A)
    change(path, "CREATE TABLE written (what TEXT, kind TEXT, id INTEGER)")
    for what, row in [("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")]:
        change(
            path,
            f"CREATE TRIGGER on_{what} AFTER {what} ON records BEGIN"
            f" INSERT INTO written VALUES ('{what}', {row}.kind, {row}.id); END",
        )

    def written() -> set[tuple[str, str, int]]:
        with closing(sqlite3.connect(path)) as connection, connection:
            rows = connection.execute("SELECT * FROM written").fetchall()
            connection.execute("DELETE FROM written")
        assert len(set(rows)) == len(rows)
        return set(rows)

    save(storage, A)
    assert written() == set()
    save(storage, replace(A, refreshed_at=A.refreshed_at + timedelta(minutes=1)))
    assert written() == {("UPDATE", "catalog", 0)}
    changed = replace(
        A,
        version="next",
        packages=(a_package(301), *A.packages[:-2], a_package(2, "new title")),
        grids=A.grids[1:],
    )
    save(storage, changed)
    assert written() == {
        ("UPDATE", "catalog", 0),
        ("INSERT", "package", 301),
        ("UPDATE", "package", 2),
        ("DELETE", "package", 1),
        ("DELETE", "grid", 9),
    }
    assert storage.load() == changed


@pytest.mark.parametrize("body", [b"", b"{", b'{"id": "1"}', b'{"title": "\xff"}', 5, "{}"])
def test_a_damaged_row_is_left_out_until_the_next_save(
    storage: Storage, path: Path, caplog: pytest.LogCaptureFixture, body: bytes | int | str
) -> None:
    save(storage, A)
    change(path, "UPDATE records SET body = ? WHERE kind = 'package' AND id = 300", body)
    assert storage.load() == replace(A, packages=A.packages[1:])
    (message,) = caplog.messages
    assert message.startswith(f"In the catalog file {path}, package 300 is damaged and left out: ")
    save(storage, A)
    assert storage.load() == A


def test_without_its_version_the_catalog_counts_as_never_saved(
    storage: Storage, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save(storage, A)
    change(path, "UPDATE records SET body = x'7b' WHERE kind = 'catalog'")
    assert storage.load() is None
    assert storage.saved() is None
    assert caplog.messages[0].startswith(f"In the catalog file {path}, catalog 0 is damaged and left out: ")


def test_threads_share_a_storage(storage: Storage) -> None:
    def work(number: int) -> bool:
        save(storage, (A, B)[number % 2])
        return storage.load() in (A, B) and storage.saved() is not None

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(work, range(32)))


SAVE_ALTERNATELY = """
import sys
from upstream.storage import Storage
path, *others = sys.argv[1:]
catalogs = [vars(Storage(other).load()) for other in others]
print("ready", flush=True)
storage = Storage(path)
while True:
    for catalog in catalogs:
        storage.save(**catalog)
"""


@pytest.fixture
def saving(path: Path) -> Saving:
    """Starts a process that saves A and B alternately."""
    others = [path.with_name(name) for name in ("a.sqlite", "b.sqlite")]
    for other, catalog in zip(others, (A, B), strict=True):
        begin(other, catalog)

    def start() -> subprocess.Popen[str]:
        command = [sys.executable, "-c", SAVE_ALTERNATELY, *map(str, (path, *others))]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    return start


def test_a_save_killed_at_any_moment_leaves_the_old_or_the_new(
    path: Path, saving: Saving, caplog: pytest.LogCaptureFixture
) -> None:
    begin(path, A)
    for _ in range(50):
        with saving() as process:
            time.sleep(random.uniform(0, 0.03))
            process.kill()
        assert stored_in(path) in (A, B)
    assert caplog.messages == []  # nothing was set aside


def test_readers_and_savers_see_whole_catalogs(storage: Storage, saving: Saving) -> None:
    save(storage, A)
    seen: set[str] = set()
    deadline = time.monotonic() + 60
    with saving() as one, saving() as other:
        try:
            while seen != {"A", "B"}:
                assert time.monotonic() < deadline, "the other processes saved nothing"
                for _ in range(20):
                    loaded = storage.load()
                    assert loaded in (A, B)
                    seen.add(loaded.version)
            assert (one.poll(), other.poll()) == (None, None)
        finally:
            one.kill()
            other.kill()


def test_a_reader_does_not_wait_for_a_save_and_sees_the_old(storage: Storage, path: Path) -> None:
    save(storage, A)
    with closing(sqlite3.connect(path, isolation_level=None)) as saver:
        saver.execute("BEGIN IMMEDIATE")
        saver.execute("DELETE FROM records")
        assert storage.load() == A
        assert storage.saved() == ("A", A.refreshed_at)
        saver.execute("COMMIT")
    assert storage.load() is None


def test_saved_notices_another_process(storage: Storage, path: Path) -> None:
    save(storage, A)
    begin(path.with_name("b.sqlite"), B)
    code = "import sys; from upstream.storage import Storage; path, other = map(Storage, sys.argv[1:])"
    code += "; path.save(**vars(other.load()))"
    subprocess.run([sys.executable, "-c", code, path, path.with_name("b.sqlite")], cwd=ROOT, check=True)
    assert storage.saved() == ("B", B.refreshed_at)
    assert storage.load() == B


def the_one_set_aside(path: Path) -> Path:
    (aside,) = path.parent.glob(f"{path.name}.set-aside-????????T??????.??????Z")
    return aside


def expect_it_set_aside(path: Path, because: str, caplog: pytest.LogCaptureFixture) -> None:
    """A start moves the file away as it is, says so, and begins a new one that works."""
    before = path.read_bytes()
    begin(path, B)
    aside = the_one_set_aside(path)
    assert caplog.messages == [
        f"The catalog file {path} {because}; it was set aside as {aside}, and a new one begun."
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
    for page in draw.sample(range(1, len(whole) // 4096), 25):
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
    change(path, "PRAGMA user_version = 2")
    expect_it_set_aside(path, "has layout 2, and this program knows layout 1", caplog)


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
        user.execute("PRAGMA user_version = 2")
        begin(path, B)
        aside = the_one_set_aside(path)
        assert Path(f"{aside}-wal").exists()
        assert Path(f"{aside}-shm").exists()
        assert user.execute("SELECT count(*) FROM records").fetchone() == (304,)
        with closing(Storage(str(path))) as storage:
            user.close()
            save(storage, A)
    assert stored_in(path) == A
    change(aside, "PRAGMA user_version = 1")
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
    change(path, "PRAGMA user_version = 2")
    with pytest.raises(StorageUnavailable) as refusal:
        storage.load()
    assert str(refusal.value) == (
        f"The catalog file {path} cannot be used: it has layout 2, and this program knows layout 1."
    )
    change(path, "PRAGMA user_version = 1")
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
from upstream.storage import Storage, StorageUnavailable
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
