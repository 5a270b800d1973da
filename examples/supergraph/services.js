// The three services that are joined, by the names that they have in the supergraph, and their addresses.
export const services = {
  djangopackages: process.env.DJANGOPACKAGES_URL ?? "http://127.0.0.1:8000/graphql",
  releases: process.env.RELEASES_URL ?? "http://127.0.0.1:4001/graphql",
  repositories: process.env.REPOSITORIES_URL ?? "http://127.0.0.1:4002/graphql",
};

// What each service is sent along: the catalogue the secret by which it knows its routers, the others nothing.
export function headersFor(name) {
  const secret = process.env.ROUTER_SECRET;
  return name === "djangopackages" && secret ? { "Router-Authorization": secret } : {};
}

// A subgraph tells its own schema; with the directives of federation, which introspection leaves out.
export async function subgraphSchema(url) {
  const { _service } = await ask(url, "{ _service { sdl } }");
  return _service.sdl;
}

async function ask(url, query) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Error(`${url} answers: ${errors.map(({ message }) => message).join(" ")}`);
  return data;
}
