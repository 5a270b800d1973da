import { useQuery } from "@apollo/client/react";
import { useParams } from "react-router";

import { graphql } from "../gql";
import { useParameter } from "../parts/address";
import { More } from "../parts/More";
import { count, number } from "../parts/numbers";
import { orderOf, PackageTable } from "../parts/PackageTable";
import { Page } from "../parts/Page";
import { Problem } from "../parts/Problem";
import { MOST_COMPARED, SideBySide } from "../parts/SideBySide";
import { Skeleton } from "../parts/Skeleton";
import { Trail } from "../parts/Trail";
import { NotFoundPage } from "./NotFoundPage";

const GRID = graphql(`
  query Grid($slug: String!, $orderBy: PackageOrder!, $after: String) {
    grid(slug: $slug) {
      id
      slug
      title
      description
      packageCount
      stars {
        median
      }
      forks {
        median
      }
      commits {
        total
      }
      packagesConnection(orderBy: $orderBy, first: 20, after: $after) {
        pageInfo {
          hasNextPage
          endCursor
        }
        edges {
          cursor
          node {
            ...PackageRow
          }
        }
      }
    }
  }
`);

/** A grid: its packages in a table, in any order, and a few of them picked to stand side by side. */
export function GridPage() {
  const { slug = "" } = useParams();
  // Another grid starts anew, with nothing of this one.
  return <GridOf key={slug} slug={slug} />;
}

function GridOf({ slug }: { slug: string }) {
  const [order, setOrder] = useParameter("order");
  const [compare, setCompare] = useParameter("compare");
  const orderBy = orderOf(order);
  const compared = [...new Set(compare.split(",").filter(Boolean))].slice(0, MOST_COMPARED);
  const answer = useQuery(GRID, { variables: { slug, orderBy } });
  const { error, loading, refetch, fetchMore } = answer;
  // In a new order the table stays until its packages are there.
  const { grid } = answer.data ?? answer.previousData ?? {};
  const packages = grid?.packagesConnection;

  function pick(picked: string) {
    const others = compared.filter((other) => other !== picked);
    setCompare((others.length < compared.length ? others : [...compared, picked]).join(","));
  }

  if (grid === null && !error) return <NotFoundPage thing="grid" />;
  const title = grid?.title ?? "Grid";
  const status = loading ? "Loading the grid" : grid ? `${count(grid.packageCount, "package")} loaded` : "";
  return (
    <Page title={title} status={status} trail={<Trail here={title} />}>
      {error && !loading && <Problem error={error} retry={() => void refetch()} partial={!!grid} />}
      {!grid && loading && <Skeleton lines={10} shape="rows" />}
      {grid && (
        <>
          {grid.description && <p className="lead lines">{grid.description}</p>}
          <dl className="figures">
            <Figure name="Packages" value={grid.packageCount} />
            <Figure name="Median stars" value={grid.stars?.median} />
            <Figure name="Median forks" value={grid.forks?.median} />
            <Figure name="Commits in 52 weeks" value={grid.commits?.total} />
          </dl>
          {compared.length > 0 && <SideBySide grid={slug} slugs={compared} remove={pick} />}
          {grid.packageCount === 0 && <p className="empty">Nobody has put a package on this grid yet.</p>}
          {packages && packages.edges.length > 0 && (
            <>
              <PackageTable
                caption={`Packages of the grid ${grid.title}`}
                packages={packages.edges.flatMap(({ node }) => node ?? [])}
                orderBy={orderBy}
                setOrder={setOrder}
                picked={compared}
                pick={pick}
                busy={loading}
              />
              <More
                things="packages"
                shown={packages.edges.length}
                total={grid.packageCount}
                hasMore={packages.pageInfo.hasNextPage}
                load={() => fetchMore({ variables: { after: packages.pageInfo.endCursor } })}
              />
            </>
          )}
        </>
      )}
    </Page>
  );
}

function Figure({ name, value }: { name: string; value: number | null | undefined }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value == null ? "unknown" : number(value)}</dd>
    </div>
  );
}
