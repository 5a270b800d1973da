// Schema stitching by graphql-tools, without a composed supergraph: the schemas are read when it starts.
import { buildHTTPExecutor } from "@graphql-tools/executor-http";
import { stitchSchemas } from "@graphql-tools/stitch";
import { stitchingDirectives } from "@graphql-tools/stitching-directives";
import { filterSchema } from "@graphql-tools/utils";
import { buildSchema, parse } from "graphql";
import { buildSubgraphSchema } from "@apollo/subgraph";
import { createYoga } from "graphql-yoga";
import { headersFor, services, subgraphSchema } from "../services.js";
import { serve } from "../serve.js";

const { stitchingDirectivesTransformer } = stitchingDirectives();

// The catalogue tells in its own schema, by directives, how its records are looked up by which key.
const address = new URL("/schema.graphql?dialect=stitching", services.djangopackages);
const catalogue = stitchingDirectivesTransformer({
  schema: buildSchema(await (await fetch(address)).text()),
  executor: buildHTTPExecutor({ endpoint: services.djangopackages, headers: headersFor("djangopackages") }),
  batch: true,
});

// The other two speak federation; here it is said how a package is looked up there.
async function federated(url, key) {
  return {
    schema: buildSubgraphSchema(parse(await subgraphSchema(url))),
    executor: buildHTTPExecutor({ endpoint: url }),
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
    catalogue,
    await federated(services.releases, "pypiName"),
    await federated(services.repositories, "repoUrl"),
  ],
});
// Federation's own fields are for gateways, not for their clients.
const schema = filterSchema({ schema: stitched, rootFieldFilter: (_, field) => !field.startsWith("_") });
serve(createYoga({ schema }), 4013);
