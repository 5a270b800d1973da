"""Tests the code of ``docs/python.md``, in an environment of its own that has what the code imports."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.gateway_processes import ROOT
from tests.support.streaming_gateway import Served, served

DOCUMENT = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8000"
PACKAGES = ("httpx==0.28.1", "polars==2.1.0", "pandas==3.1.1", "pyarrow==26.0.1")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("storage")
    with served(folder / "catalog.sqlite", packages=300, files=str(folder / "files")) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the interpreter of an environment with the packages."""
    folder = tmp_path_factory.mktemp("python") / "venv"
    uv = str(Path(sys.executable).with_name("uv"))
    interpreter = str(folder / "bin" / "python")
    run(uv, "venv", "--quiet", "--python", sys.executable, str(folder))
    run(uv, "pip", "install", "--quiet", "--python", interpreter, *PACKAGES)
    return interpreter


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def packages_by_category(gateway: Served) -> dict[str, int]:
    categories = gateway.ask("{ categories { slug packages(first: 1) { totalCount } } }")["categories"]
    return {each["slug"]: each["packages"]["totalCount"] for each in categories}


def test_the_line_for_a_shell_prints_an_answer(gateway: Served, python: str) -> None:
    (line,) = blocks("sh")
    program, *arguments = shlex.split(line.replace(ADDRESS, gateway.address))
    assert program == "python3"
    count = gateway.ask("{ stats { packageCount } }")["stats"]["packageCount"]
    assert run(python, *arguments) == f"{{'data': {{'stats': {{'packageCount': {count}}}}}}}\n"


@pytest.mark.parametrize("library", ["polars", "pandas"])
def test_every_package_is_a_row_of_the_frame(gateway: Served, python: str, library: str) -> None:
    with_polars, pandas_lines = blocks("python")[:2]
    reading, _, polars_lines = with_polars.partition("\n\nframe = ")
    code = (
        with_polars if library == "polars" else reading.replace("import polars\n", "") + "\n" + pandas_lines
    )
    assert polars_lines
    shape = '\nprint("shape", frame.shape[0], frame["slug"].n_unique())\n'
    shape = shape if library == "polars" else shape.replace("n_unique", "nunique")
    printed = run(python, "-c", code.replace(ADDRESS, gateway.address) + shape)
    expected = packages_by_category(gateway)
    total = sum(expected.values())
    assert total > 100, "it has several pages"
    assert printed.splitlines()[-1] == f"shape {total} {total}"
    for slug, count in expected.items():
        assert re.search(rf"{slug}\W+{count}\b", printed), printed


LEAVE = "import os\nos._exit(0)\n"
"""Ends a program that has printed all without the end of Python. Once in hundreds of times, Arrow aborts that: one of
its threads has not let go of what pandas gave it to read (apache/arrow#34314)."""


@pytest.mark.parametrize("library", ["polars", "pandas"])
def test_one_line_reads_the_whole_catalog(gateway: Served, python: str, library: str) -> None:
    (code,) = [block for block in blocks("python")[2:] if f"import {library}" in block]
    shape = '\nprint(packages.shape[0], packages["repo_watchers"].sum(), flush=True)\n' + LEAVE
    catalog = gateway.source.latest.catalog if gateway.source.latest else None
    assert catalog is not None
    stars = sum(package.repo_watchers for package in catalog.packages.values())
    printed = run(python, "-c", code.replace(ADDRESS, gateway.address) + shape)
    assert printed == f"{len(catalog.packages)} {stars}\n"
