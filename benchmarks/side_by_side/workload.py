"""Makes the queries, chosen from the embedded catalog, in the words of each kind of gateway."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from catalog.record_sorting import NEWEST_PACKAGES_FIRST
from resolvers.lists.pagination import write_cursor
from upstream.embedded.editable_catalog import EmbeddedCatalog
from upstream.embedded.row_types import PackageRow

Dialect = Literal["ours", "peers", "tailcall"]

NAMES = ["Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "Q7", "Q8"]

NONCE = "nonce_00000000"
"""The value of a variable that no document declares, or an alias; the load makes it another one in each request."""

IN_TEXT = "@ID@"
"""Where a document has the id that others have as a variable."""

MEMBERS = 50
"""Packages in the grids of the package that Q2 asks for, and of each that Q4 asks for, or nearly."""

ROTATED = 200
TEXTS = 5_000
PAGE = 20


@dataclass(frozen=True)
class BenchmarkQuery:
    """Describes one kind of work: a document in each dialect that can ask it, and variables that are used in turn."""

    name: str
    meaning: str
    documents: dict[Dialect, str]
    variables: list[dict[str, object]]
    executed: bool = False
    """Whether each request is unlike all before it, so that no kept answer helps."""
    in_text: bool = False
    """Whether the id is written into the text, in the place of a variable."""

    def asked(self, dialect: Dialect, variables: dict[str, object]) -> tuple[str, dict[str, object]]:
        """Return the text and the variables of the request with these ``variables``."""
        document = self.documents.get(dialect, "")
        return (
            (document.replace(IN_TEXT, str(variables["id"])), {}) if self.in_text else (document, variables)
        )


def queries(catalog: EmbeddedCatalog) -> dict[str, BenchmarkQuery]:
    """Return all of them by name."""
    packages = catalog.packages.values()
    sizes = {key: len(grid.packages) for key, grid in catalog.grids.items()}
    members = {package.id: sum(sizes[grid] for grid in package.grids) for package in packages}

    def unlike(package: PackageRow) -> tuple[int, int]:
        return abs(members[package.id] - MEMBERS), package.id

    canonical = min((package for package in packages if len(package.grids) == 3), key=unlike)
    rotated = sorted((package for package in packages if 2 <= len(package.grids) <= 4), key=unlike)[:ROTATED]
    newest = sorted(catalog.packages, reverse=True)
    pages = range(1, len(newest) - PAGE)
    in_page = {offset: sum(members[key] for key in newest[offset : offset + PAGE]) for offset in pages}
    fullest = max(pages, key=in_page.__getitem__)
    cursor = write_cursor(NEWEST_PACKAGES_FIRST, None, newest[fullest - 1])

    four = "title slug repoWatchers"
    deep = "title slug category{title} grids{title packages{title slug repoWatchers pypiVersion category{title}}}"
    deep_tailcall = (
        "title slug category{title} "
        "grids{grid{title packages{package{title slug repoWatchers pypiVersion category{title}}}}}"
    )
    one: dict[Dialect, str] = {
        "ours": f"query($id:Int!){{package(databaseId:$id){{id:databaseId {four}}}}}",
        "peers": f"query($id:Int!){{package(id:$id){{id {four}}}}}",
        "tailcall": f"query($id:Int!){{package(id:$id){{id {four}}}}}",
    }
    joined: dict[Dialect, str] = {
        "ours": f"query($id:Int!){{package(databaseId:$id){{{deep}}}}}",
        "peers": f"query($id:Int!){{package(id:$id){{{deep}}}}}",
        "tailcall": f"query($id:Int!){{package(id:$id){{{deep_tailcall}}}}}",
    }
    wide = "title grids{title packages{title}}"
    page: dict[Dialect, str] = {
        "ours": f'{{packages(first:{PAGE},after:"{cursor}"){{nodes{{{wide}}}}}}}',
        "peers": f"{{packages(limit:{PAGE},offset:{fullest}){{{wide}}}}}",
        "tailcall": f"{{packages(limit:{PAGE},offset:{fullest})"
        "{results{title grids{grid{title packages{package{title}}}}}}}",
    }
    listed: dict[Dialect, str] = {
        "ours": '{packages(first:20,orderBy:STARS_DESC,filter:{category:"apps",hasPypiRelease:true,'
        'stars:{min:50},lastCommit:{after:"2020-01-01T00:00:00Z"}}){nodes{title slug repoWatchers}}}'
    }
    literal: dict[Dialect, str] = {
        "ours": f"{{package(databaseId:{IN_TEXT}){{id:databaseId {four}}}}}",
        "peers": f"{{package(id:{IN_TEXT}){{id {four}}}}}",
        "tailcall": f"{{package(id:{IN_TEXT}){{id {four}}}}}",
    }
    unseen: dict[Dialect, str] = {
        "ours": f"{{package(databaseId:{canonical.id}){{{NONCE}:databaseId {four}}}}}",
        "peers": f"{{package(id:{canonical.id}){{{NONCE}:id {four}}}}}",
        "tailcall": f"{{package(id:{canonical.id}){{{NONCE}:id {four}}}}}",
    }
    rotation: list[dict[str, object]] = [{"id": package.id} for package in rotated]
    all_queries = [
        BenchmarkQuery("Q1", "one package, 4 fields", one, [{"id": canonical.id}]),
        BenchmarkQuery(
            "Q2",
            f"one package, its 3 grids, their {members[canonical.id]} packages: the canonical query",
            joined,
            [{"id": canonical.id}],
        ),
        BenchmarkQuery("Q3", f"20 packages, their grids, their {in_page[fullest]:,} packages", page, [{}]),
        BenchmarkQuery("Q4", f"Q2 for {ROTATED} packages in turn", joined, rotation),
        BenchmarkQuery(
            "Q5",
            "Q4 with a variable that is another one in each request, so that no whole answer is reused",
            joined,
            [{**variables, "nonce": NONCE} for variables in rotation],
            executed=True,
        ),
        BenchmarkQuery(
            "Q6", "a list of packages, filtered by four criteria, most stars first; no peer can", listed, [{}]
        ),
        BenchmarkQuery(
            "Q7",
            f"Q1 with the id written into the text, for {TEXTS:,} packages in turn",
            literal,
            [{"id": id} for id in newest[:TEXTS]],
            in_text=True,
        ),
        BenchmarkQuery(
            "Q8",
            "Q1 with an alias that is another one in each request, so that no document is like one before",
            unseen,
            [{}],
            executed=True,
        ),
    ]
    return {query.name: query for query in all_queries}
