"""Draws the values of generated rows: titles, addresses, times, commits and logins."""

from .generated_words import (
    DOCUMENTATION_URLS,
    ENDINGS,
    LANDS,
    LOGIN_BEGINNINGS,
    LOGIN_ENDINGS,
    LOGIN_MIDDLES,
    PREFIXES,
    PURPOSES,
    TOPICS,
    VERSIONS,
)
from .seeded_random import SeededRandom, eastern

NO_COMMITS = (0,) * 52


def drawn_title(draws: SeededRandom) -> str:
    """Return the title of a package, as a slug or as words."""
    words = [draws.pick(PREFIXES), draws.pick(TOPICS)]
    if draws.chance(70):
        words.append(draws.pick(TOPICS))
    if draws.chance(20):
        words.append(draws.pick(ENDINGS))
    if draws.chance(6):
        return " ".join(word.capitalize() for word in words)
    return ("_" if draws.chance(3) else "-").join(words)


def unused_slug(slug: str, taken: dict[str, int]) -> str:
    """Return the slug with a number behind it if it is taken, and take it."""
    number = taken.get(slug, 0)
    taken[slug] = number + 1
    if not number:
        return slug
    numbered = f"{slug}-{number + 1}"
    return numbered if numbered not in taken else unused_slug(numbered, taken)


def drawn_moment(draws: SeededRandom, seconds: int, spread: int) -> str:
    """Return a time at most ``spread`` seconds after ``seconds`` (Unix time), as v4 writes it."""
    # Some have no microseconds, and then no fraction is written (contract, section 3).
    return eastern(seconds + draws.below(spread), 0 if draws.chance(2) else draws.below(1_000_000))


def drawn_version(draws: SeededRandom) -> str | None:
    """Return the version on PyPI, if there is one."""
    if draws.chance(12):
        return None
    return "" if draws.chance(2) else draws.pick(VERSIONS)


def drawn_description(draws: SeededRandom, title: str) -> str:
    """Return the description of a repository, which can be empty."""
    if draws.chance(5):
        return ""
    return f"{draws.pick(PURPOSES).format(draws.pick(TOPICS))}{draws.pick(LANDS)} (generated as {title})"


def drawn_grid_description(draws: SeededRandom, title: str) -> str:
    """Return the description of a grid, which can be empty."""
    if draws.chance(6):
        return ""
    more = f"\r\n\r\nMore: https://generated.example/{draws.pick(TOPICS)}" if draws.chance(30) else ""
    return f"A generated comparison: {title}.{more}"


def drawn_documentation_url(draws: SeededRandom, slug: str) -> str | None:
    """Return the address of the documentation, if there is one."""
    url = draws.pick(DOCUMENTATION_URLS)
    return url.format(slug) if url else url


def drawn_commits(draws: SeededRandom) -> tuple[int, ...]:
    """Return the commits of 52 weeks, or none if they were never counted."""
    if draws.chance(4):
        return ()
    if draws.chance(75):
        return NO_COMMITS
    weeks = list(NO_COMMITS)
    for _ in range(draws.below(12) + 1):
        weeks[draws.below(52)] = draws.small(60) + 1
    return tuple(weeks)


def drawn_login(draws: SeededRandom) -> str:
    """Return the login of a contributor."""
    name = draws.pick(LOGIN_BEGINNINGS) + draws.pick(LOGIN_MIDDLES) + draws.pick(LOGIN_MIDDLES)
    return (name.capitalize() if draws.chance(10) else name) + draws.pick(LOGIN_ENDINGS)
