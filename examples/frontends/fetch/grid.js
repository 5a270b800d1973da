// The packages of a grid by plain fetch, in a browser or in Node.js: GET requests that any cache can keep.
// Each names its document by the SHA-256 of the text; the text itself follows only if the gateway does not know it
// (Apollo's automatic persisted queries).
//   node grid.js http://127.0.0.1:8000/graphql mail-backends

const DOCUMENT = `
  query Grid($slug: String!, $after: String) {
    grid(slug: $slug) {
      packagesConnection(orderBy: STARS_DESC, first: 10, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes { title repoWatchers pypiVersion }
      }
    }
  }`;

async function sha256(text) {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function get(url, parameters) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== undefined));
  const response = await fetch(`${url}?${query}`, { headers: { Accept: "application/graphql-response+json" } });
  return response.json();
}

export async function ask(url, document, variables) {
  const extensions = JSON.stringify({ persistedQuery: { version: 1, sha256Hash: await sha256(document) } });
  const request = { extensions, variables: JSON.stringify(variables) };
  let answer = await get(url, request);
  if (answer.errors?.[0].extensions?.code === "PERSISTED_QUERY_NOT_FOUND") {
    answer = await get(url, { ...request, query: document });
  }
  if (answer.errors) throw new Error(answer.errors.map(({ message }) => message).join(" "));
  return answer.data;
}

const [url, slug] = process.argv.slice(2);
for (let after = null, more = true; more; ) {
  const { grid } = await ask(url, DOCUMENT, { slug, after });
  if (!grid) throw new Error(`There is no grid ${slug}.`);
  for (const { title, repoWatchers, pypiVersion } of grid.packagesConnection.nodes) {
    console.log(`${title}: ${repoWatchers} stars, release ${pypiVersion || "none"}`);
  }
  ({ endCursor: after, hasNextPage: more } = grid.packagesConnection.pageInfo);
}
