// Schema stitching by graphql-tools, without a composed supergraph: the schemas are read when it starts.
import { buildSubgraphSchema } from "@apollo/subgraph";
import { buildHTTPExecutor } from "@graphql-tools/executor-http";
import { stitchSchemas } from "@graphql-tools/stitch";
import { stitchingDirectives } from "@graphql-tools/stitching-directives";
import { filterSchema } from "@graphql-tools/utils";
import { buildSchema, parse } from "graphql";
import { createYoga } from "graphql-yoga";
import { federationSchema, headersFor, services, stitchingSchema } from "../services.js";
import { serve } from "../serve.js";

const { stitchingDirectivesTransformer } = stitchingDirectives();

// The catalog tells in its own schema, by directives, how its records are looked up by which key.
const catalog = stitchingDirectivesTransformer({
  schema: buildSchema(await stitchingSchema("djangopackages")),
  executor: buildHTTPExecutor({ endpoint: services.djangopackages, headers: headersFor("djangopackages") }),
  batch: true,
  // It takes up to 50 root fields in one request, which is what contributors and categories are looked up by.
  batchingOptions: { dataLoaderOptions: { maxBatchSize: 50 } },
});

// It finds up to 100 records at once.
for (const { entryPoints } of Object.values(catalog.merge)) {
  for (const lookup of entryPoints ?? []) lookup.dataLoaderOptions = { maxBatchSize: 100 };
}

// The other two speak federation; here it is said how a package is looked up there.
async function federated(name, key) {
  return {
    schema: buildSubgraphSchema(parse(await federationSchema(name))),
    executor: buildHTTPExecutor({ endpoint: services[name], headers: headersFor(name) }),
    batch: true,
    merge: {
      Package: {
        selectionSet: `{ ${key} }`,
        fieldName: "_entities",
        key: (known) => ({ __typename: "Package", [key]: known[key] }),
        argsFromKeys: (representations) => ({ representations }),
      },
    },
  };
}

const stitched = stitchSchemas({
  subschemas: [
    catalog,
    await federated("releases", "pypiName"),
    await federated("repositories", "repoUrl"),
  ],
});
// Federation's own fields are for gateways, not for their clients.
const schema = filterSchema({ schema: stitched, rootFieldFilter: (_, field) => !field.startsWith("_") });
serve(createYoga({ schema }), 4013);
