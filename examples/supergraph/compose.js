// Composes the three schemas into one, as a router reads it: node compose.js > supergraph.graphql
// Whatever does not fit together is told, and then nothing is written.
import { composeServices } from "@apollo/composition";
import { parse } from "graphql";
import { federationSchema, services } from "./services.js";

const subgraphs = await Promise.all(
  Object.entries(services).map(async ([name, url]) => ({
    name,
    url,
    typeDefs: parse(await federationSchema(name)),
  })),
);
const { supergraphSdl, hints = [], errors = [] } = composeServices(subgraphs);
for (const { definition, message } of hints) {
  console.error(`${definition.level.name} ${definition.code}: ${message}`);
}
for (const { extensions, message } of errors) {
  console.error(`ERROR ${extensions.code}: ${message}`);
}
if (errors.length) {
  process.exit(1);
}
console.log(supergraphSdl);
