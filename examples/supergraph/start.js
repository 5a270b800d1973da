// Starts the three services and three gateways on free ports, asks every joined query of each gateway, prints
// the answers and how many requests they took, and stops everything: node start.js [the gateway's python]
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { counted } from "./counted.js";
import { output, run, stopAll } from "./programs.js";

const here = import.meta.dirname;
const project = join(here, "..", "..");
const python = process.argv[2] ?? join(project, ".venv", "bin", "python");
const folder = mkdtempSync(join(tmpdir(), "supergraph-"));
const queries = join(here, "queries");
process.once("exit", () => rmSync(folder, { recursive: true }));

try {
  await main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await stopAll();
}

async function main() {
  if (!existsSync(python)) {
    throw new Error(`There is no ${python}; "make supergraph" in the project's folder sets it up.`);
  }
  const [catalog, releases, repositories] = await Promise.all([
    startCatalog(),
    run("node", ["subgraphs/releases.js"], { PORT: "0" }),
    run("node", ["subgraphs/repositories.js"], { PORT: "0" }),
  ]);
  console.log(`Three services have started: ${[catalog, releases, repositories].join(", ")}`);
  const services = {
    djangopackages: await counted(catalog),
    releases: await counted(releases),
    repositories: await counted(repositories),
  };
  const environment = { PORT: "0", SUPERGRAPH: join(folder, "supergraph.graphql") };
  for (const [name, { url }] of Object.entries(services)) {
    environment[`${name.toUpperCase()}_URL`] = url;
  }
  writeFileSync(environment.SUPERGRAPH, await output("node", ["compose.js"], environment));
  const [apollo, hive, stitching] = await Promise.all(
    ["apollo", "hive", "stitching"].map((name) => run("node", [`gateways/${name}.js`], environment)),
  );
  const gateways = { "Apollo Gateway": apollo, "Hive Gateway": hive, "schema stitching": stitching };
  console.log(`So have three gateways: ${[apollo, hive, stitching].join(", ")}`);
  for (const file of readdirSync(queries).sort()) {
    await show(file, gateways, services, catalog);
  }
}

// The gateway of this project, over its embedded copy of Django Packages, once it knows the whole catalog.
async function startCatalog() {
  const port = await freePort();
  const settings = { GATEWAY_PORT: String(port), GATEWAY_UPSTREAM: "embedded", GATEWAY_STORAGE: ":memory:" };
  await run(python, [join(project, "server.py"), "serve"], settings);
  const origin = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 600; tries++) {
    const state = await fetch(`${origin}/readyz`).then((answer) => answer.json(), () => ({}));
    if (state.answersFrom === "catalog") return `${origin}/graphql`;
    await pause(100);
  }
  throw new Error("The catalog was not known within a minute.");
}

async function show(file, gateways, services, catalog) {
  const query = readFileSync(join(queries, file), "utf8");
  console.log(`\n${file}\n${query}`);
  let first;
  for (const [name, url] of Object.entries(gateways)) {
    for (const service of Object.values(services)) service.requests = 0;
    const before = await upstreamRequests(catalog);
    const answer = await ask(url, query);
    if (answer.errors) throw new Error(`${name} answers ${file} with ${JSON.stringify(answer.errors)}`);
    const upstream = (await upstreamRequests(catalog)) - before;
    if (first === undefined) {
      first = answer.data;
      console.log(`${JSON.stringify(first, null, 2)}\n`);
    } else if (!isDeepStrictEqual(answer.data, first)) {
      throw new Error(`${name} answers ${file} with other data: ${JSON.stringify(answer.data)}`);
    }
    const counts = Object.entries(services).map(([service, { requests }]) => `${service} ${requests}`);
    console.log(`${name} has this by requests: ${counts.join(", ")}, Django Packages ${upstream}`);
  }
}

async function ask(url, query) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify({ query }) });
  return answer.json();
}

// How many requests the catalog's gateway has sent to Django Packages since it started.
async function upstreamRequests(catalog) {
  const metrics = await (await fetch(new URL("/metrics", catalog))).text();
  const counts = metrics.matchAll(/^gateway_upstream_request_duration_seconds_count\{.*\} (.*)$/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  return port;
}
