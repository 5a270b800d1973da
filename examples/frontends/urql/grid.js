// The packages of a grid by urql: what its React, Vue, Svelte and Solid bindings do, without any of them.
//   node grid.js http://127.0.0.1:8000/graphql mail-backends
import { cacheExchange, Client, fetchExchange, gql } from "@urql/core";

const GRID = gql`
  query Grid($slug: String!, $after: String) {
    grid(slug: $slug) {
      id
      packagesConnection(orderBy: STARS_DESC, first: 10, after: $after) {
        pageInfo {
          hasNextPage
          endCursor
        }
        nodes {
          id
          title
          repoWatchers
          pypiVersion
        }
      }
    }
  }
`;

const [url, slug] = process.argv.slice(2);
const client = new Client({ url, exchanges: [cacheExchange, fetchExchange], preferGetMethod: true });

async function page(after) {
  const { data, error } = await client.query(GRID, { slug, after });
  if (error) throw error;
  if (!data.grid) throw new Error(`There is no grid ${slug}.`);
  return data.grid.packagesConnection;
}

for (let after = null, more = true; more; ) {
  const { nodes, pageInfo } = await page(after);
  for (const { title, repoWatchers, pypiVersion } of nodes) {
    console.log(`${title}: ${repoWatchers} stars, release ${pypiVersion || "none"}`);
  }
  ({ endCursor: after, hasNextPage: more } = pageInfo);
}
