"""Declares the type Package: the fields of v4, and its relations."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from engine import DependsOn, depends_on
from resolvers import package_details, record_history, record_page_urls
from resolvers import package_relations as resolvers
from resolvers import related_packages as related
from resolvers.contributor import contributors_of
from schema.category import Category
from schema.record_node import RecordNode
from schema.semantic_nullability import null_only_with_error
from upstream.client import v4_records

if TYPE_CHECKING:
    from schema.contributor import Contributor
    from schema.grid import Grid

LazyGrid = Annotated["Grid", strawberry.lazy("schema.grid")]
LazyPackage = Annotated["Package", strawberry.lazy("schema.package")]


@strawberry.federation.type(
    description="A package for Django: an app, a framework, a project or another thing to use.",
    keys=["id", "databaseId", "slug", "pypiName", "repoUrl"],
)
class Package(RecordNode):
    """Is resolved from :class:`upstream.client.v4_records.PackageRecord`. Nullability follows contract section 3."""

    record = v4_records.PackageRecord

    title: str = strawberry.field(description="The name of the package. Several packages can share one.")
    slug: str = strawberry.field(
        description='The slug of the package, such as "django-celery-email". It is unique.'
    )
    last_updated: datetime | None = strawberry.field(
        resolver=package_details.last_updated,
        metadata=depends_on(DependsOn.CATALOG),
        description="When the last commit to the repository was made, as of lastFetched. Null if it is not known.",
    )
    last_fetched: datetime | None = strawberry.field(
        resolver=package_details.last_fetched,
        metadata=depends_on(DependsOn.CATALOG),
        description="When the site last read the repository. Null if it never did.",
    )
    repo_url: str = strawberry.field(description="The address of the source repository. It can be empty.")
    pypi_version: str | None = strawberry.field(
        description="The latest version on PyPI. Null if there is none, and empty if it has no number."
    )
    created: datetime = strawberry.field(description="When the package was added to the site.")
    modified: datetime = strawberry.field(
        description="When the package was last edited on the site. New stars, commits or releases do not change it."
    )
    repo_forks: int = strawberry.field(description="The number of forks of the repository.")
    repo_description: str = strawberry.field(
        description="The description in the repository. It can be empty."
    )
    pypi_url: str = strawberry.field(
        description="The package on PyPI as its authors entered it: an address, a bare name, or empty."
    )
    documentation_url: str | None = strawberry.field(
        description="The address of the documentation. Null or empty if there is none."
    )
    repo_watchers: int = strawberry.field(description="The number of stars of the repository.")
    stars: int = strawberry.field(
        resolver=package_details.stars,
        metadata=depends_on(DependsOn.CATALOG),
        description="The number of stars of the repository: repoWatchers under the name that filters use.",
    )
    forks: int = strawberry.field(
        resolver=package_details.forks,
        metadata=depends_on(DependsOn.CATALOG),
        description="The number of forks of the repository: repoForks under the name that filters use.",
    )
    site_url: str = strawberry.field(
        resolver=record_page_urls.package_page,
        metadata=depends_on(DependsOn.CATALOG),
        description="The address of the page of the package on Django Packages.",
    )
    commits_over_52: list[int] | None = strawberry.field(  # type: ignore[assignment]  # a tuple too
        name="commitsOver52",
        resolver=package_details.commits_over_52,
        metadata=depends_on(DependsOn.CATALOG),
        description="The number of commits in each of the last 52 weeks, oldest first. Empty or null if it "
        "is not known.",
    )
    participants: list[str] = strawberry.field(
        description="The logins of the contributors to the repository, the most active first."
    )
    category = strawberry.field(
        resolver=resolvers.category.resolve,
        metadata=null_only_with_error(depends_on(DependsOn.CATALOG | DependsOn.UPSTREAM)),
        graphql_type=Category | None,
        description="The category of the package. Null, with an error, only if it could not be loaded.",
    )
    grids = strawberry.field(
        resolver=resolvers.grids.resolve,
        metadata=null_only_with_error(depends_on(DependsOn.CATALOG | DependsOn.UPSTREAM), 1),
        graphql_type=list[LazyGrid | None],
        description=(
            "The grids that compare the package, sorted by title, regardless of case, and equal titles by databaseId. "
            "A grid that could not be loaded is null with its own error and comes last."
        ),
    )
    pypi = strawberry.field(
        resolver=package_details.pypi,
        metadata=depends_on(DependsOn.CATALOG),
        graphql_type=package_details.PypiProject | None,
        description="The package on PyPI, from pypiUrl and pypiVersion. Null if pypiUrl names no package.",
    )
    pypi_name = strawberry.field(
        resolver=package_details.pypi_name_of,
        metadata=depends_on(DependsOn.CATALOG),
        description="The name on PyPI, by which other graphs can refer to the package. Null if there is none.",
    )
    repository = strawberry.field(
        resolver=package_details.repository_of,
        metadata=depends_on(DependsOn.CATALOG),
        graphql_type=package_details.Repository | None,
        description="The source repository, from repoUrl. Null if repoUrl names no repository.",
    )
    commit_activity = strawberry.field(
        resolver=package_details.commit_activity,
        metadata=depends_on(DependsOn.CATALOG),
        graphql_type=package_details.CommitActivity | None,
        description="The commits in commitsOver52, evaluated. Null if they are not known.",
    )
    last_commit_at = strawberry.field(
        resolver=package_details.last_updated,
        metadata=depends_on(DependsOn.CATALOG),
        description="When the last commit was made: lastUpdated under a plainer name. Null if it is not known.",
    )
    days_since_last_commit = strawberry.field(
        resolver=package_details.days_since_last_commit,
        metadata=depends_on(DependsOn.CATALOG | DependsOn.TIME),
        graphql_type=int | None,
        description="The number of whole days since lastCommitAt. Null if lastCommitAt is not known.",
    )
    contributors = strawberry.field(
        resolver=contributors_of,
        metadata=null_only_with_error(depends_on(DependsOn.CATALOG)),
        graphql_type=list[Annotated["Contributor", strawberry.lazy("schema.contributor")]] | None,
        description="The participants as records, the most active first.",
    )
    related_packages = strawberry.field(
        resolver=related.related_packages,
        metadata=null_only_with_error(depends_on(DependsOn.CATALOG | DependsOn.UPSTREAM)),
        graphql_type=list[related.RelatedPackage[LazyPackage, LazyGrid]] | None,
        description="The other packages of its grids. Those with the most shared grids come first, then "
        "those with the most stars.",
    )
    is_on_grid = strawberry.field(
        resolver=related.is_on_grid,
        metadata=null_only_with_error(depends_on(DependsOn.CATALOG | DependsOn.UPSTREAM)),
        graphql_type=bool | None,
        description="Whether the grid with this slug compares the package. It is false if there is no such grid.",
    )
    history = strawberry.field(
        resolver=record_history.package_history,
        metadata=null_only_with_error(depends_on(DependsOn.FEED | DependsOn.CATALOG)),
        graphql_type=list[record_history.RecordedChange] | None,
        description=(
            "The values that fields of the package had before, each with the time when the gateway noticed the new "
            "one, oldest first. It reaches back to `catalog { historySince }`."
        ),
    )
