"""Tests ``deploy/Containerfile`` as far as that is possible without building an image.

Its lines are linted, its packages are resolved by their hashes for the Python and the machines of the image, and its
command runs in a folder that has what the image has, with its environment.
"""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.deploy.conftest import Tool, run
from tests.support.http_servers import free_port, serving
from tests.support.processes import ROOT, running
from upstream.embedded import EmbeddedUpstream

CONTAINERFILE = ROOT / "deploy" / "Containerfile"
TEXT = CONTAINERFILE.read_text(encoding="utf-8")
IGNORED = [
    line.removeprefix("**/")
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


def test_the_linter_has_nothing_to_say(tool: Tool) -> None:
    assert tool("hadolint", str(CONTAINERFILE)) == ""


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_every_package_has_a_wheel_for_the_image_with_a_hash_that_is_locked(
    machine: str, tmp_path: Path
) -> None:
    (version,) = set(re.findall(r"^FROM python:([\d.]+)-slim", TEXT, re.MULTILINE))
    locks = sorted((ROOT / "requirements").glob("*.txt"))
    assert len(locks) > 3
    uv = str(Path(sys.executable).with_name("uv"))
    # The development's own packages are no part of the image.
    ours = [lock for lock in locks if lock.name not in ("dev.txt", "schemathesis.txt")]
    chosen = [argument for lock in ours for argument in ("-r", str(lock))]
    told = run(
        *(uv, "pip", "install", "--dry-run", "--target", str(tmp_path), "--only-binary", ":all:"),
        *("--python-version", version, "--python-platform", f"{machine}-manylinux_2_28"),
        *("--require-hashes", *chosen),
    )
    assert "uvicorn==" in told


def test_the_step_that_installs_the_packages_runs(tmp_path: Path) -> None:
    # One package stands for all, which the test above resolves: to install them takes a minute.
    lock = (ROOT / "requirements" / "valkey.txt").read_text(encoding="utf-8")
    (one,) = re.findall(r"^redis==(?:.*\\\n)*.*\n", lock, re.MULTILINE)
    (tmp_path / "requirements").mkdir()
    for name in ("run", "valkey"):
        (tmp_path / "requirements" / f"{name}.txt").write_text(one, encoding="utf-8")
    (step,) = re.findall(r"^RUN (python -m venv /venv (?:.*\\\n)*.*)$", TEXT, re.MULTILINE)
    step = step.replace("/venv", f"{tmp_path}/venv").replace("python -m", f"{sys.executable} -m")
    done = subprocess.run(
        ["sh", "-c", step],
        cwd=tmp_path,
        env=os.environ | {"EXTRAS": "valkey"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    run(str(tmp_path / "venv" / "bin" / "python"), "-c", "import redis")


def test_it_runs_from_what_the_image_has_and_writes_only_where_it_may(tmp_path: Path) -> None:
    root, data = tmp_path / "gateway", tmp_path / "data"
    data.mkdir()
    copy_of_context(root)
    before = files_in(root)
    assert "tests" not in {path.partition("/")[0] for path in before}
    port = free_port()
    with serving(EmbeddedUpstream(packages=20)) as upstream:
        environment = {
            name: value.replace("/data", str(data))
            for name, value in re.findall(r"(GATEWAY_\w+|PYTHON\w+)=(\S+)", TEXT)
        }
        assert environment["GATEWAY_HOST"] == "0.0.0.0"
        environment |= {
            "GATEWAY_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "GATEWAY_UPSTREAM": f"{upstream}/api/v4/",
        }
        address = f"http://127.0.0.1:{port}"
        with running([sys.executable, "server.py", "serve"], f"{address}/readyz", root, **environment):
            with httpx.Client(base_url=address, timeout=30, verify=False) as http:
                deadline = time.monotonic() + 60
                while http.get("/readyz").json()["answersFrom"] != "catalog":
                    assert time.monotonic() < deadline, "there was no catalog"
                    time.sleep(0.1)
                query = '{ package(slug: "django-celery-email") { title } }'
                asked = http.post("/graphql", json={"query": query}).json()
                assert asked["data"]["package"]["title"] == "django-celery-email"
                for path in ("/", "/docs/", "/docs/files.md", "/schema.graphql", "/metrics", "/llms.txt"):
                    assert http.get(path).status_code == 200, path
                file = http.get("/catalog/latest/packages.parquet", follow_redirects=True)
                assert file.status_code == 200
            run(sys.executable, "-c", health_check().replace("8000", str(port)))
        with pytest.raises(subprocess.CalledProcessError):
            # Nobody listens any more.
            subprocess.run(
                [sys.executable, "-c", health_check().replace("8000", str(port))],
                check=True,
                capture_output=True,
            )
    assert files_in(root) == before
    assert [path.name.rpartition("-")[2] for path in data.iterdir() if path.is_dir()] == ["files"]


def health_check() -> str:
    found = re.search(r'CMD \["python", "-c", "(.*)"\]', TEXT)
    assert found is not None
    return found[1]


def copy_of_context(root: Path) -> None:
    """Copy what ``COPY . .`` copies: all but what is ignored."""

    def left_out(folder: str, names: list[str]) -> set[str]:
        inside = Path(folder).relative_to(ROOT)
        return {
            name
            for name in names
            if any(fnmatch.fnmatch(str(inside / name), pattern) or name == pattern for pattern in IGNORED)
        }

    shutil.copytree(ROOT, root, ignore=left_out, symlinks=True)


def files_in(root: Path) -> set[str]:
    return {
        os.path.relpath(os.path.join(folder, name), root)
        for folder, _folders, names in os.walk(root)
        for name in names
    }
