import { useQuery } from "@apollo/client/react";
import { useDeferredValue } from "react";
import { Link } from "react-router";

import { graphql } from "../gql";
import type { GridOrder } from "../gql/graphql";
import { useParameter } from "../parts/address";
import { More } from "../parts/More";
import { News } from "../parts/News";
import { count } from "../parts/numbers";
import { Page } from "../parts/Page";
import { Problem } from "../parts/Problem";
import { Skeleton } from "../parts/Skeleton";

const GRIDS = graphql(`
  query Grids($text: String, $orderBy: GridOrder!, $after: String) {
    grids(filter: { text: $text }, orderBy: $orderBy, first: 24, after: $after) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      edges {
        cursor
        node {
          id
          slug
          title
          packageCount
          description
          stars {
            total
          }
        }
      }
    }
  }
`);

const ORDERS: Partial<Record<GridOrder, string>> = {
  PACKAGE_COUNT_DESC: "Most packages",
  TITLE_ASC: "A to Z",
  MODIFIED_DESC: "Last edited",
};

/** All grids, to pick one: narrowed by a text, in one of a few orders, page by page. */
export function GridsPage() {
  const [text, setText] = useParameter("text");
  const [order, setOrder] = useParameter("order");
  const orderBy = Object.hasOwn(ORDERS, order) ? (order as GridOrder) : "PACKAGE_COUNT_DESC";
  // Typing is not held up by the list, which shows the last answer until the next is there.
  const asked = useDeferredValue(text.trim());
  const answer = useQuery(GRIDS, { variables: { text: asked, orderBy } });
  const { error, loading, refetch, fetchMore } = answer;
  const grids = (answer.data ?? answer.previousData)?.grids;

  const status = grids && !loading ? `${count(grids.totalCount, "grid")} found` : "Loading the grids";
  return (
    <Page title="Which packages do the same job?" status={status}>
      <p className="lead">
        A grid is a comparison of packages for Django that do similar work, kept by their users. Pick one and see its
        packages side by side.
      </p>
      <div className="controls">
        <label>
          Narrow the grids
          <input
            type="search"
            value={text}
            placeholder="mail, payment, search …"
            autoComplete="off"
            onChange={(event) => setText(event.target.value)}
          />
        </label>
        <label>
          Order
          <select value={orderBy} onChange={(event) => setOrder(event.target.value)}>
            {Object.entries(ORDERS).map(([order, label]) => (
              <option key={order} value={order}>
                {label}
              </option>
            ))}
          </select>
        </label>
      </div>
      {error && !loading && <Problem error={error} retry={() => void refetch()} partial={!!grids} />}
      {!grids && loading && <Skeleton lines={12} shape="cards" />}
      {grids && grids.edges.length === 0 && (
        <p className="empty">No grid has “{asked}” in its title or description.</p>
      )}
      {grids && grids.edges.length > 0 && (
        <>
          <ul className="cards" aria-busy={loading}>
            {grids.edges.map(
              ({ node }) =>
                node && (
                  <li key={node.id}>
                    <h2>
                      <Link to={`/grids/${node.slug}`}>{node.title}</Link>
                    </h2>
                    <p className="facts">
                      {count(node.packageCount, "package")}
                      {node.stars && ` · ${count(node.stars.total, "star")}`}
                    </p>
                    {node.description && <p className="about">{node.description}</p>}
                  </li>
                ),
            )}
          </ul>
          <More
            things="grids"
            shown={grids.edges.length}
            total={grids.totalCount}
            hasMore={grids.pageInfo.hasNextPage}
            load={() => fetchMore({ variables: { after: grids.pageInfo.endCursor } })}
          />
        </>
      )}
      <News />
    </Page>
  );
}
