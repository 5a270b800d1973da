"""Declares the root of the graph: the fields with which a query begins."""

from __future__ import annotations

import strawberry
from strawberry import relay

from engine import DependsOn, depends_on
from resolvers import bulk_lookup, search_connection
from resolvers import contributor as contributor_resolvers
from resolvers import federation_entities as entity_resolvers
from resolvers import node as node_resolvers
from resolvers import query as resolvers
from resolvers import removed_packages as removed_package_resolvers
from resolvers import search as search_resolvers
from resolvers import trending as trending_resolvers
from resolvers.catalog_changes import ChangeFeed
from resolvers.catalog_changes import changes as catalog_changes
from resolvers.lists import Connection
from resolvers.stats import stats as catalog_stats
from schema.catalog_status import CatalogStatus
from schema.category import Category
from schema.contributor import Contributor
from schema.federation import Entity, Service, service
from schema.grid import Grid
from schema.package import Package
from schema.search import SearchHit, SearchResult
from schema.semantic_nullability import null_only_with_error
from schema.stats import Stats


@strawberry.type(description="The entry points of the graph.")
class Query:
    """Is resolved by ``resolvers.query``. Fields that may have to ask upstream are nullable."""

    package = strawberry.field(
        resolver=resolvers.package,
        metadata=depends_on(DependsOn.CATALOG | DependsOn.UPSTREAM),
        graphql_type=Package | None,
        description=(
            "The package with this key, or null if there is none. Give exactly one key. If several packages "
            "share a PyPI name or a repository, the oldest one is returned."
        ),
    )
    grid = strawberry.field(
        resolver=resolvers.grid,
        metadata=depends_on(DependsOn.CATALOG | DependsOn.UPSTREAM),
        graphql_type=Grid | None,
        description="The grid with this key, or null if there is none. Give exactly one key.",
    )
    category = strawberry.field(
        resolver=resolvers.category,
        metadata=depends_on(DependsOn.CATALOG | DependsOn.UPSTREAM),
        graphql_type=Category | None,
        description=(
            "The category with this key, or null if there is none. Give exactly one key. "
            "If several categories share a slug, the oldest one is returned."
        ),
    )
    categories = strawberry.field(
        resolver=resolvers.categories,
        metadata=null_only_with_error(depends_on(DependsOn.CATALOG | DependsOn.UPSTREAM)),
        graphql_type=list[Category] | None,
        description="All categories, oldest first. Null, with an error, if they could not be loaded.",
    )
    packages = strawberry.field(
        resolver=resolvers.packages,
        metadata=null_only_with_error(depends_on(DependsOn.CATALOG | DependsOn.UPSTREAM)),
        graphql_type=Connection[Package] | None,
        description="The packages that match the filter, newest first by default.",
    )
    grids = strawberry.field(
        resolver=resolvers.grids,
        metadata=null_only_with_error(depends_on(DependsOn.CATALOG | DependsOn.UPSTREAM)),
        graphql_type=Connection[Grid] | None,
        description="The grids that match the filter, newest first by default.",
    )
    packages_by_id = strawberry.field(
        resolver=bulk_lookup.packages_by_id,
        metadata=null_only_with_error(depends_on(DependsOn.CATALOG | DependsOn.UPSTREAM)),
        graphql_type=list[Package | None] | None,
        description="The packages with these global ids, in the order of the ids; null for an id that is missing.",
    )
    packages_by_slug = strawberry.field(
        resolver=bulk_lookup.packages_by_slug,
        metadata=null_only_with_error(depends_on(DependsOn.CATALOG | DependsOn.UPSTREAM)),
        graphql_type=list[Package | None] | None,
        description="The packages with these slugs, in the order of the slugs; null for a slug that is missing.",
    )
    packages_by_pypi_name = strawberry.field(
        resolver=bulk_lookup.packages_by_pypi_name,
        metadata=null_only_with_error(depends_on(DependsOn.CATALOG | DependsOn.UPSTREAM)),
        graphql_type=list[Package | None] | None,
        description=(
            "The packages with these names on PyPI, in the order of the names; null for a name that is "
            "missing. If several packages claim a name, the oldest one is returned."
        ),
    )
    packages_by_repo_url = strawberry.field(
        resolver=bulk_lookup.packages_by_repo_url,
        metadata=null_only_with_error(depends_on(DependsOn.CATALOG | DependsOn.UPSTREAM)),
        graphql_type=list[Package | None] | None,
        description=(
            "The packages of these repositories, in the order of the addresses; null for an address that is "
            "missing. If several packages share a repository, the oldest one is returned."
        ),
    )
    grids_by_id = strawberry.field(
        resolver=bulk_lookup.grids_by_id,
        metadata=null_only_with_error(depends_on(DependsOn.CATALOG | DependsOn.UPSTREAM)),
        graphql_type=list[Grid | None] | None,
        description="The grids with these global ids, in the order of the ids; null for an id that is missing.",
    )
    grids_by_slug = strawberry.field(
        resolver=bulk_lookup.grids_by_slug,
        metadata=null_only_with_error(depends_on(DependsOn.CATALOG | DependsOn.UPSTREAM)),
        graphql_type=list[Grid | None] | None,
        description="The grids with these slugs, in the order of the slugs; null for a slug that is missing.",
    )
    contributor = strawberry.field(
        resolver=contributor_resolvers.contributor,
        metadata=depends_on(DependsOn.CATALOG),
        graphql_type=Contributor | None,
        description="The contributor with this login, or null if no package has such a contributor.",
    )
    contributors = strawberry.field(
        resolver=contributor_resolvers.all_contributors,
        metadata=null_only_with_error(depends_on(DependsOn.CATALOG)),
        graphql_type=Connection[Contributor] | None,
        description="All contributors, those with the most packages first by default.",
    )
    stats = strawberry.field(
        resolver=catalog_stats,
        metadata=null_only_with_error(depends_on(DependsOn.CATALOG)),
        graphql_type=Stats | None,
        description="Statistics of the whole catalog. Null, with an error, while there is no catalog.",
    )
    changes = strawberry.field(
        resolver=catalog_changes,
        metadata=null_only_with_error(depends_on(DependsOn.FEED | DependsOn.CATALOG)),
        graphql_type=ChangeFeed[relay.Node] | None,
        description=(
            "The packages and grids that were added, changed or removed on Django Packages in the last 30 "
            "days, oldest first. To stay up to date, ask again with the last cursor as `since`, or "
            "subscribe to `catalogChanged`."
        ),
    )
    node = strawberry.field(
        resolver=node_resolvers.node,
        metadata=depends_on(DependsOn.CATALOG | DependsOn.UPSTREAM),
        graphql_type=relay.Node | None,
        description="The record of any type with this global id, or null if there is none.",
    )
    nodes = strawberry.field(
        resolver=node_resolvers.nodes,
        metadata=depends_on(DependsOn.CATALOG | DependsOn.UPSTREAM),
        graphql_type=list[relay.Node | None] | None,
        description="The records with these global ids, in the order of the ids; null for an id that is missing.",
    )
    search = strawberry.field(
        resolver=search_resolvers.search,
        metadata=null_only_with_error(depends_on(DependsOn.CATALOG | DependsOn.UPSTREAM)),
        graphql_type=search_connection.SearchConnection[SearchResult, SearchHit] | None,
        description=(
            "The packages and grids that match the query, the best first. The search of Django Packages "
            "answers. The gateway's own index answers instead if that search fails, takes too long or has "
            "used up its budget, or if more than 20 results are requested. Hits of removed records are left out."
        ),
    )
    catalog = strawberry.field(
        resolver=resolvers.catalog,
        metadata=depends_on(DependsOn.CATALOG | DependsOn.TIME),
        graphql_type=CatalogStatus,
        description="The gateway's catalog, which answers this request.",
    )
    trending = strawberry.field(
        resolver=trending_resolvers.trending,
        metadata=null_only_with_error(depends_on(DependsOn.FEED | DependsOn.CATALOG)),
        graphql_type=list[trending_resolvers.Trend[Package]] | None,
        description=(
            "The packages that gained the most stars between two moments, with both numbers. Packages that were "
            "added in between are left out. The history of the catalog has to reach back to the first moment: see "
            "`catalog { historySince }`."
        ),
    )
    removed_packages = strawberry.field(
        resolver=removed_package_resolvers.removed_packages,
        metadata=null_only_with_error(depends_on(DependsOn.FEED | DependsOn.CATALOG)),
        graphql_type=removed_package_resolvers.RemovedPackages[Package] | None,
        description=(
            "The packages that Django Packages had and no longer has, the last removed first, as they were last "
            "known. The list reaches back to `catalog { historySince }`."
        ),
    )
    _entities = strawberry.field(
        name="_entities",
        resolver=entity_resolvers.entities,
        metadata=depends_on(DependsOn.CATALOG | DependsOn.UPSTREAM | DependsOn.ASKER),
        graphql_type=list[Entity | None],
        description=(
            "The records that other graphs refer to, in the order of the references; null for a record that "
            "is missing. "
            "For routers of Apollo Federation."
        ),
    )
    _service = strawberry.field(
        name="_service",
        resolver=service,
        metadata=depends_on(DependsOn.CATALOG),
        graphql_type=Service,
        description="This graph as a part of a supergraph. For routers of Apollo Federation.",
    )
