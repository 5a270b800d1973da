// The service of another team: what the hosts of repositories tell, by the address. Its data are made up.
import { buildSubgraphSchema } from "@apollo/subgraph";
import DataLoader from "dataloader";
import { readFileSync } from "node:fs";
import { parse } from "graphql";
import { createYoga } from "graphql-yoga";
import { serve } from "../serve.js";

const file = (name) => readFileSync(new URL(name, import.meta.url), "utf8");
const all = JSON.parse(file("repositories.json"));

// Authors type addresses as they like, so a key that is an address has to be brought to one spelling.
const spelling = (address) => address.toLowerCase().replace(/(\.git)?\/*$/, "");

// What a real service would ask its database: all addresses in one query.
function readRepositories(addresses) {
  console.log(`read ${addresses.length} repositories`);
  return addresses.map((address) => all.find(({ repoUrl }) => spelling(repoUrl) === spelling(address)) ?? null);
}

const resolvers = {
  Query: {
    mostOpenIssues: (_, { first }) => all.slice(0, first),
  },
  Package: {
    // A gateway sends a representation for each package of the answer, in one request. Some gateways send an
    // error as the key where the catalog gave one.
    __resolveReference: async ({ repoUrl }, { repositories }) =>
      typeof repoUrl === "string" ? { ...(await repositories.load(repoUrl)), repoUrl } : null,
  },
};

serve(
  createYoga({
    schema: buildSubgraphSchema({ typeDefs: parse(file("repositories.graphql")), resolvers }),
    context: () => ({ repositories: new DataLoader(async (addresses) => readRepositories(addresses)) }),
  }),
  4002,
);
