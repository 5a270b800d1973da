"""Names and addresses that people typed: contract section 3, ``pypi_url`` and ``repo_url``."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.pypi_and_repository import LONGEST, normalise_pypi_name, pypi_name, repository

PIECES = [
    "http://", "https://", "git+ssh://", "ssh:", "ftp://", "git@", "www.", "pypi.org", "pypi.python.org",
    "github.com", "gitlab.com", "/", "//", ":", "443", "project", "pypi", "Django_Thing", "owner", "-", ".git",
    "?q=1", "#top", " ", "[", "é", "ß", "\u0130", "\x00", "\n", "\ud800",
]  # fmt: skip
addresses = st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=12).map("".join))


@pytest.mark.parametrize(
    "pypi_url",
    [
        "http://pypi.python.org/pypi/Django_Thing.x",
        "https://pypi.python.org/pypi/django-thing-x/",
        "https://pypi.org/project/django-thing-x",
        "https://pypi.org/project/django-thing-x/",
        "https://www.pypi.org/project/django-thing-x/",
        "https://pypi.org/project/django-thing-x/1.0.3/",
        "http://pypi.python.org/pypi/django-thing-x/1.0.3",
        "https://pypi.org/project/django-thing-x/?from=here#files",
        "HTTPS://PyPI.org/project/Django--Thing__X",
        "pypi.org/project/django-thing-x",
        "django-thing-x",
        "django.thing.x",
        "  Django-Thing-X \n",
    ],
)
def test_every_spelling_of_a_pypi_address_gives_one_name(pypi_url: str) -> None:
    assert pypi_name(pypi_url) == "django-thing-x"


@pytest.mark.parametrize(
    "pypi_url",
    [
        "",
        "   ",
        "n/a (not released)",
        "https://pypi.org/",
        "pypi.org",
        "https://pypi.org/project/",
        "https://pypi.org/user/somebody/",
        "https://pypi.org/project/-x-/",
        "https://github.com/owner/django-thing",
        "http://[",
        "straße",
        "-x",
        "a" * 10_000 + "!",
    ],
)
def test_a_text_that_is_no_pypi_address_gives_no_name(pypi_url: str) -> None:
    assert pypi_name(pypi_url) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/Owner/Name",
        "http://github.com/owner/name/",
        "https://www.github.com/owner/name.git",
        "https://user:secret@github.com:443/owner/name",
        "https://github.com/owner/name/tree/main/src",
        "https://github.com/owner/name?tab=readme#top",
        "https://github.com//owner//name",
        "git://github.com/owner/name.git/",
        "git+ssh://git@github.com:22/owner/name.git",
        "ssh://git@github.com:owner/name.git",
        "git@github.com:owner/name.git",
        "github.com/owner/name",
        "  https://github.com/owner/name\n",
    ],
)
def test_every_spelling_of_a_repository_gives_one_address(url: str) -> None:
    assert repository(url) == "github.com/owner/name"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://gitlab.com/group/sub/name.git", "gitlab.com/group/sub/name"),
        ("https://gitlab.com/group/sub/name/-/tree/main", "gitlab.com/group/sub/name"),
        ("git@git.example.org:group/sub/name.git", "git.example.org/group/sub/name"),
        ("https://bitbucket.org/owner/name/src/default/", "bitbucket.org/owner/name"),
        ("https://codeberg.org/owner/name/issues", "codeberg.org/owner/name"),
        ("git@github.com:007/name", "github.com/007/name"),
    ],
)
def test_only_hosts_without_subgroups_drop_what_follows_owner_and_name(url: str, address: str) -> None:
    assert repository(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "",
        "owner/name",
        "https://github.com/",
        "https://github.com/owner",
        "https://github.com/owner/.git",
        "https://gitlab.com/group/-/tree/main",
        "//github.com/owner/name",
        "ftp://github.com/owner/name",
        "file:///srv/owner/name",
        "https://localhost/owner/name",
        "https://github.com/an owner/name",
        "https://github.com/owner/na\x00me",
        "http://[",
        "http://[::1]/owner/name",
        "see the documentation",
    ],
)
def test_a_text_that_is_no_repository_gives_no_address(url: str) -> None:
    assert repository(url) is None


@given(addresses)
def test_any_text_has_one_normalised_form(text: str) -> None:
    name = normalise_pypi_name(text)
    assert normalise_pypi_name(name) == name


@given(addresses)
def test_a_pypi_name_is_its_own_pypi_address(text: str) -> None:
    name = pypi_name(text)
    assert name is None or pypi_name(name) == normalise_pypi_name(name) == name


@given(addresses)
def test_a_repository_is_its_own_address(text: str) -> None:
    address = repository(text)
    assert address is None or repository(address) == address


@pytest.mark.parametrize("piece", [*PIECES, "a.", "www.a@:"])
def test_a_very_long_text_is_no_trouble(piece: str) -> None:
    # A quadratic match would take hours here.
    text = piece * 100_000 + "!"
    pypi_name(text)
    repository(text)
    repository("https://github.com/owner/" + text)


def test_a_longer_text_than_any_of_upstreams_is_not_read() -> None:
    """One of a megabyte, named 800 times by one operation, kept the gateway from all others for minutes."""
    address, project = "github.com/owner/name", "pypi.org/project/name"
    assert repository(address.ljust(LONGEST)) == address
    assert repository(address.ljust(LONGEST + 1)) is None
    assert pypi_name(project.ljust(LONGEST)) == normalise_pypi_name("name".ljust(LONGEST)) == "name"
    assert pypi_name(project.ljust(LONGEST + 1)) is None
    assert normalise_pypi_name("name".ljust(LONGEST + 1)) == ""
