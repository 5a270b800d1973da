import { skipToken, useQuery } from "@apollo/client/react";
import { Link, useSearchParams } from "react-router";

import { graphql } from "../gql";
import { More } from "../parts/More";
import { count } from "../parts/numbers";
import { Page } from "../parts/Page";
import { Problem } from "../parts/Problem";
import { Skeleton } from "../parts/Skeleton";

const SEARCH = graphql(`
  query Search($query: String!, $after: String) {
    search(query: $query, first: 10, after: $after) {
      totalCount
      answeredBy
      pageInfo {
        hasNextPage
        endCursor
      }
      edges {
        cursor
        node {
          __typename
          ... on Package {
            id
            slug
            title
            repoDescription
            repoWatchers
          }
          ... on Grid {
            id
            slug
            title
            description
            packageCount
          }
        }
      }
    }
  }
`);

/** What the search of the header found. */
export function SearchPage() {
  const [parameters] = useSearchParams();
  const query = parameters.get("q") ?? "";
  const answer = useQuery(SEARCH, query ? { variables: { query } } : skipToken);
  const { error, loading, refetch, fetchMore } = answer;
  // While one types on, the last results stay.
  const found = query ? (answer.data ?? answer.previousData)?.search : undefined;
  const results = found?.edges.flatMap(({ node }) => node ?? []) ?? [];

  const amount = found?.totalCount == null ? `${results.length} or more results` : count(found.totalCount, "result");
  const status = !query ? "" : loading ? "Searching" : found ? `${amount} for ${query}` : "";
  return (
    <Page title={query ? `Results for “${query}”` : "Search"} status={status}>
      {!query && <p className="lead">Type in the field above: packages and grids appear here as you do.</p>}
      {error && !loading && <Problem error={error} retry={() => void refetch()} partial={!!found} />}
      {!found && loading && <Skeleton lines={8} shape="rows" />}
      {found && results.length === 0 && !loading && (
        <p className="empty">
          Nothing has all of these words. Try fewer, or <code>OR</code> between them.
        </p>
      )}
      {found && results.length > 0 && (
        <>
          <ul className="results" aria-busy={loading}>
            {results.map((node) => (
              <li key={node.id}>
                <h2>
                  <Link to={node.__typename === "Grid" ? `/grids/${node.slug}` : `/packages/${node.slug}`}>
                    {node.title}
                  </Link>
                </h2>
                <p className="facts">
                  {node.__typename === "Grid"
                    ? `Grid · ${count(node.packageCount, "package")}`
                    : `Package · ${count(node.repoWatchers, "star")}`}
                </p>
                <p className="about">{node.__typename === "Grid" ? node.description : node.repoDescription}</p>
              </li>
            ))}
          </ul>
          <More
            things="results"
            shown={results.length}
            total={found.totalCount}
            hasMore={found.pageInfo.hasNextPage}
            load={() => fetchMore({ variables: { after: found.pageInfo.endCursor } })}
          />
          {found.answeredBy === "CATALOG" && (
            <p className="aside">Found by the gateway itself, in its copy of the catalog.</p>
          )}
        </>
      )}
    </Page>
  );
}
