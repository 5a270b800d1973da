// The three services that are joined, by the names that they have in the supergraph, and their addresses.
export const services = {
  djangopackages: process.env.DJANGOPACKAGES_URL ?? "http://127.0.0.1:8000/graphql",
  releases: process.env.RELEASES_URL ?? "http://127.0.0.1:4001/graphql",
  repositories: process.env.REPOSITORIES_URL ?? "http://127.0.0.1:4002/graphql",
};

// What each service is sent along: the catalog the secret by which it knows its routers, the others nothing.
export function headersFor(name) {
  const secret = process.env.ROUTER_SECRET;
  return name === "djangopackages" && secret ? { "Router-Authorization": secret } : {};
}

// A subgraph tells its own schema, with the directives of federation, which introspection leaves out.
export async function federationSchema(name) {
  const body = JSON.stringify({ query: "{ _service { sdl } }" });
  const headers = { "Content-Type": "application/json" };
  const answer = await read(name, services[name], { method: "POST", headers, body });
  return JSON.parse(answer).data._service.sdl;
}

// The catalog tells it with the directives of stitching too.
export async function stitchingSchema(name) {
  return read(name, new URL("/schema.graphql?dialect=stitching", services[name]));
}

async function read(name, url, options) {
  try {
    const answer = await fetch(url, options);
    if (!answer.ok) throw new Error(`the status is ${answer.status}`);
    return await answer.text();
  } catch (error) {
    console.error(`${name} does not tell its schema at ${url}: ${(error.cause ?? error).message}`);
    process.exit(1);
  }
}
