// The packages of a grid by Relay's runtime: its compiler takes the schema, the fragment pages, the store joins the pages.
// (In React, usePaginationFragment does what `nextPage` does here.)
//   npm run build && node build/grid.js http://127.0.0.1:8000/graphql mail-backends
import { Environment, fetchQuery, getSingularSelector, graphql, Network, RecordSource, Store } from "relay-runtime";

const GRID = graphql`
  query gridQuery($slug: String!) {
    grid(slug: $slug) {
      id
      ...grid_packages
    }
  }
`;

const PACKAGES = graphql`
  fragment grid_packages on Grid
  @argumentDefinitions(first: { type: "Int", defaultValue: 10 }, after: { type: "String" })
  @refetchable(queryName: "gridPackagesQuery") {
    packagesConnection(orderBy: STARS_DESC, first: $first, after: $after)
      @connection(key: "grid_packagesConnection") {
      edges {
        node {
          title
          repoWatchers
          pypiVersion
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`;

const [url, slug] = process.argv.slice(2);

async function ask({ text: query }, variables) {
  const headers = { "Content-Type": "application/json" };
  return (await fetch(url, { method: "POST", headers, body: JSON.stringify({ query, variables }) })).json();
}

const environment = new Environment({ network: Network.create(ask), store: new Store(new RecordSource()) });

async function main() {
  const { grid } = await fetchQuery(environment, GRID, { slug }).toPromise();
  if (!grid) throw new Error(`There is no grid ${slug}.`);
  const read = () => environment.lookup(getSingularSelector(PACKAGES, grid)).data.packagesConnection;
  const nextPage = (after) =>
    fetchQuery(environment, PACKAGES.metadata.refetch.operation, { id: grid.id, after }).toPromise();

  while (read().pageInfo.hasNextPage) await nextPage(read().pageInfo.endCursor);
  for (const { node } of read().edges) {
    console.log(`${node.title}: ${node.repoWatchers} stars, release ${node.pypiVersion || "none"}`);
  }
}

void main();
