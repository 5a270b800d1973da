"""Caches the generated catalog in a file, because reading it takes a tenth of the time of generating it.

The file belongs to the generator that wrote it. If anything in this folder changes, the generator is another one. A
file of another generator is written anew, and so is a damaged file.
"""

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from tempfile import NamedTemporaryFile

import msgspec

from .editable_catalog import EmbeddedCatalog
from .row_types import CategoryRow, GridRow, PackageRow

_FOLDER = Path(__file__).parent
_DIGEST = 32
"""Bytes at the beginning of the file: the digest of the generator and of the rest."""


class _Rows(msgspec.Struct, gc=False):
    packages: list[PackageRow]
    grids: list[GridRow]
    categories: list[CategoryRow]


def cached_catalog(file: Path, generate: Callable[[], EmbeddedCatalog]) -> EmbeddedCatalog:
    """Return the catalog that ``generate`` makes, always the same: from this file, if it is there, whole, and of this
    generator.

    A file that cannot be read or written costs the time of generating, and nothing else.
    """
    generator = _digest(_generator())
    rows = _read(file, generator)
    if rows is None:
        catalog = generate()
        _write(file, generator, catalog)
        return catalog
    return EmbeddedCatalog(rows.packages, rows.grids, rows.categories)


def _generator() -> Iterable[bytes]:
    files = [*_FOLDER.glob("*.py"), *(_FOLDER / "seeds").iterdir()]
    return (file.read_bytes() for file in sorted(files) if file.is_file())


def _read(file: Path, generator: bytes) -> _Rows | None:
    try:
        kept = file.read_bytes()
    except OSError:
        return None
    digest, rows = kept[:_DIGEST], kept[_DIGEST:]
    if digest != _digest([generator, rows]):
        return None
    return msgspec.msgpack.decode(rows, type=_Rows)


def _write(file: Path, generator: bytes, catalog: EmbeddedCatalog) -> None:
    rows = msgspec.msgpack.encode(
        _Rows(
            list(catalog.packages.values()), list(catalog.grids.values()), list(catalog.categories.values())
        )
    )
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        # Readers get the whole file or none. Two processes that write at once write the same.
        with NamedTemporaryFile(dir=file.parent, prefix=file.name, delete=False) as new:
            try:
                new.write(_digest([generator, rows]) + rows)
                new.close()
                os.replace(new.name, file)
            except OSError:
                os.unlink(new.name)


def _digest(parts: Iterable[bytes]) -> bytes:
    digest = blake2b(digest_size=_DIGEST)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()
