// The composed supergraph, as compose.js wrote it.
import { existsSync, readFileSync } from "node:fs";

const path = process.env.SUPERGRAPH ?? "supergraph.graphql";
if (!existsSync(path)) {
  console.error(`There is no ${path}; "node compose.js > supergraph.graphql" writes it.`);
  process.exit(1);
}
export const supergraph = readFileSync(path, "utf8");
