"""Installs what the peers need, by npm, pip and apt, into folders that git ignores."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PEERS = Path(__file__).resolve().parent.parent / "peers"
NODE, PYTHON, TAILCALL = PEERS / "node", PEERS / "python", PEERS / "tailcall"
BIN = PYTHON / ".venv" / "bin"

TAILCALL_PROGRAM = NODE / "node_modules/@tailcallhq/core-linux-x64-gnu/bin/tailcall"
LIBC = TAILCALL / "libc"
LIBC_LIBRARIES = LIBC / "usr/lib/x86_64-linux-gnu"
LIBC_RELEASE = "trixie"
"""The Debian release whose C library is new enough for Tailcall's program, which wants 2.39."""

PACKAGES = {"wrk": "wrk", "nginx": "nginx-light", "taskset": "util-linux", "node": "nodejs", "npm": "npm"}


class CannotInstall(Exception):
    """Says that something that a peer needs cannot be installed. The message is a sentence."""


def need_programs(names: Sequence[str]) -> None:
    """Stop with a sentence if one of these programs of the machine is missing."""
    missing = [name for name in names if shutil.which(name) is None]
    if missing:
        packages = " ".join(PACKAGES[name] for name in missing)
        raise SystemExit(f"The benchmark needs {' and '.join(missing)}: apt-get install {packages}")


def install_node() -> None:
    """Install the npm packages of the Node gateways, and Tailcall."""
    command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]
    _once(NODE / "package.json", NODE / "node_modules", [command])


def install_python() -> None:
    """Install a virtual environment for the peers."""
    _once(
        PYTHON / "requirements.txt",
        PYTHON / ".venv",
        [
            [sys.executable, "-m", "venv", ".venv"],
            [str(BIN / "pip"), "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"],
        ],
    )


def tailcall_command() -> list[str]:
    """Return how Tailcall is started here.

    Its program wants a newer C library than some machines have. There, Debian's is unpacked beside it.

    :raises CannotInstall: it runs neither way.
    """
    if _runs([str(TAILCALL_PROGRAM)]):
        return [str(TAILCALL_PROGRAM)]
    loader = LIBC_LIBRARIES / "ld-linux-x86-64.so.2"
    command = [str(loader), "--library-path", str(LIBC_LIBRARIES), str(TAILCALL_PROGRAM)]
    if not _runs(command):
        _unpack_libc()
    if not _runs(command):
        raise CannotInstall("Tailcall's program does not run on this machine.")
    return command


def _runs(command: list[str]) -> bool:
    try:
        return subprocess.run([*command, "--version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _unpack_libc() -> None:
    """Download and unpack the C library with apt's own tools; nothing is installed."""
    mirror = _mirror()
    state = LIBC / "apt"
    for folder in ("lists/partial", "cache/archives/partial"):
        (state / folder).mkdir(parents=True, exist_ok=True)
    keys = "/usr/share/keyrings/debian-archive-keyring.gpg"
    (state / "sources.list").write_text(f"deb [signed-by={keys}] {mirror} {LIBC_RELEASE} main\n")
    options = [
        f"Dir::Etc::sourcelist={state}/sources.list",
        "Dir::Etc::sourceparts=/dev/null",
        f"Dir::State::lists={state}/lists",
        f"Dir::Cache={state}/cache",
    ]
    apt = ["apt-get", "--quiet", *(part for option in options for part in ("-o", option))]
    _run([*apt, "update"], LIBC)
    _run([*apt, "download", "libc6", "libgcc-s1"], LIBC)
    for archive in LIBC.glob("*.deb"):
        _run(["dpkg", "-x", archive.name, "."], LIBC)
    shutil.rmtree(state)


def _mirror() -> str:
    """Return the Debian mirror that this machine uses."""
    lists = Path("/etc/apt")
    for path in [lists / "sources.list", *sorted((lists / "sources.list.d").glob("*"))]:
        text = path.read_text(errors="replace") if path.is_file() else ""
        found = re.search(
            r"^(?:URIs:|deb\s+(?:\[.*?\]\s+)?)\s*(https?://\S+/debian)/?(?:\s|$)", text, re.MULTILINE
        )
        if found:
            return found[1]
    raise CannotInstall("Tailcall needs a newer C library, and this machine's apt names no Debian mirror.")


def _once(wanted: Path, folder: Path, commands: list[list[str]]) -> None:
    """Run the commands beside ``wanted`` unless ``folder`` was made from the same text before."""
    mark = folder / ".installed"
    if mark.exists() and mark.read_text() == wanted.read_text():
        return
    sys.stderr.write(f"installing what {wanted.relative_to(PEERS.parent.parent)} names\n")
    for command in commands:
        _run(command, wanted.parent)
    mark.write_text(wanted.read_text())


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CannotInstall(f"`{' '.join(command[:2])}` failed: {done.stderr.strip()[-500:]}")
