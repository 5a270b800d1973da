"""Reads how a package is known elsewhere: its name on PyPI, and the address of its repository.

Both fields of v4 are texts that people typed (contract section 3). The answer for any text is a name or ``None``,
never an exception, in time linear in its length. What users look up goes through the same functions as what the
catalog holds, so both sides agree.
"""

from __future__ import annotations

import re

_SEPARATORS = re.compile(r"[-_.]+")
_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?")
# Possessive throughout, so that no text makes it try again.
_ADDRESS = re.compile(
    r"""
    (?P<scheme> (?: https? | git | ssh | git\+https? | git\+ssh ) :// )?+
    (?: [^@/?#]*+ @ )?+
    (?: www\. )*+
    (?P<host> [a-z0-9-]++ (?: \. [a-z0-9-]++ )++ )
    (?: : (?P<colon> [^/?#]*+ ) )?+
    (?: / (?P<path> [^?#]*+ ) )?+
    (?: [?#] .*+ )?+
    """,
    re.VERBOSE,
)

_PYPI_HOSTS = frozenset({"pypi.org", "pypi.python.org"})
_PYPI_ROUTES = frozenset({"project", "pypi"})

_FLAT_HOSTS = frozenset({"github.com", "bitbucket.org", "codeberg.org"})
"""Hosts where a repository is always owner/name, so that what follows is a path inside it."""

LONGEST = 1000
"""The most characters of a text that is read. Upstream has up to 255, and an operation can name one text a thousand
times."""


def normalise_pypi_name(name: str) -> str:
    """Return the one spelling of a PyPI name, by PEP 503: ``Django_Allauth`` becomes ``django-allauth``.

    Surrounding blanks are removed. A text that is not a name becomes some text that no package has.
    """
    if len(name) > LONGEST:
        return ""
    return _SEPARATORS.sub("-", name.strip()).lower()


def pypi_name(pypi_url: str) -> str | None:
    """Return the normalised PyPI name in a ``pypi_url``: an address of a project on PyPI, or a bare name.

    What follows the name in an address (a version, a query) is ignored. ``None`` for everything else.
    """
    if len(pypi_url) > LONGEST:
        return None
    name = pypi_url.strip().lower()
    host, path = _address(name) or ("", [])
    if host in _PYPI_HOSTS:
        if len(path) < 2 or path[0] not in _PYPI_ROUTES:
            return None
        name = path[1]
    return normalise_pypi_name(name) if _NAME.fullmatch(name) else None


def repository(url: str) -> str | None:
    """Return the one spelling of a repository's address: ``host/owner/name``, case-folded.

    It is the same for web, git and ssh addresses and the scp-like ``git@host:owner/name``, with and without
    a scheme, a user, ``www.``, a port, ``.git``, a query or a fragment. On github.com, bitbucket.org and
    codeberg.org what follows owner/name is dropped. Any other host may be a GitLab with subgroups, where only
    the whole path names the project; there the path ends at GitLab's ``/-/``, which no group is called.
    ``None`` for everything else.
    """
    address = _address(url.strip().casefold()) if len(url) <= LONGEST else None
    if address is None:
        return None
    host, segments = address
    path = [name for segment in segments if (name := _without_git(segment))]
    if host in _FLAT_HOSTS:
        path = path[:2]
    elif "-" in path:
        path = path[: path.index("-")]
    return "/".join([host, *path]) if len(path) > 1 else None


def _without_git(segment: str) -> str:
    # As often as it is there, so that normalising twice is normalising once.
    end = len(segment)
    while segment.endswith(".git", 0, end):
        end -= len(".git")
    return segment[:end]


def _address(text: str) -> tuple[str, list[str]] | None:
    """Return the host, without ``www.``, and the segments of the path in an address of lower case."""
    address = _ADDRESS.fullmatch(text)
    if address is None or " " in text or not text.isprintable():
        return None
    scheme, host, colon, tail = address.groups()
    path = [segment for segment in (tail or "").split("/") if segment]
    # Without a scheme a colon is scp's and begins the path. With one it begins a port, save for the common
    # slip ssh://git@host:owner/name.
    if colon and not (scheme and colon.isdecimal()):
        path.insert(0, colon)
    return host, path
