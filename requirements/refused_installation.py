"""Refuses to build a package of the gateway: it is an application, and the package would be empty.

It is the build backend of ``pyproject.toml`` (PEP 517 and PEP 660), which ``pip install .`` calls.
"""

from __future__ import annotations

from typing import NoReturn

SENTENCE = (
    "djangopackages-graphql is an application that runs from its own folder, so it cannot be installed as a package. "
    "`make run` sets it up there and starts it. Without make, `pip install --require-hashes -r requirements/run.txt` "
    "installs what it needs, and `python server.py serve` starts it."
)


def build_wheel(*_arguments: object, **_named: object) -> NoReturn:
    """Refuse to build a package.

    :raises SystemExit: always.
    """
    raise SystemExit(SENTENCE)


build_editable = build_sdist = build_wheel
"""The other packages that an installer may ask for."""
