// The service of another team: releases on PyPI, by a package's name there. Its data are made up.
import { buildSubgraphSchema } from "@apollo/subgraph";
import DataLoader from "dataloader";
import { readFileSync } from "node:fs";
import { parse } from "graphql";
import { createYoga } from "graphql-yoga";
import { serve } from "../serve.js";

const file = (name) => readFileSync(new URL(name, import.meta.url), "utf8");
const all = JSON.parse(file("releases.json"));

// What a real service would ask its database: all names in one query.
function readReleases(names) {
  console.log(`read the releases of ${names.length} packages`);
  return names.map((name) => {
    const found = all.filter((release) => release.pypiName === name);
    return found.length ? found : null;
  });
}

const resolvers = {
  Query: {
    latestReleases: (_, { first }) => all.slice(0, first),
  },
  Package: {
    // A gateway sends a representation for each package of the answer, in one request. The key is null for a
    // package that is not on PyPI, and some gateways send an error as the key where the catalog gave one.
    __resolveReference: ({ pypiName }) => (typeof pypiName === "string" ? { pypiName } : null),
    releases: async ({ pypiName }, { first }, { releases }) => (await releases.load(pypiName))?.slice(0, first),
  },
  Release: {
    requires: (release) => release.requires.map((pypiName) => ({ pypiName })),
    package: ({ pypiName }) => ({ pypiName }),
  },
};

serve(
  createYoga({
    schema: buildSubgraphSchema({ typeDefs: parse(file("releases.graphql")), resolvers }),
    context: () => ({ releases: new DataLoader(async (names) => readReleases(names)) }),
  }),
  4001,
);
