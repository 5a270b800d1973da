// Hive Gateway, over the composed supergraph.graphql. This is the library inside the command hive-gateway.
import { createGatewayRuntime } from "@graphql-hive/gateway-runtime";
import { readFileSync } from "node:fs";
import { serve } from "../serve.js";
import { headersFor } from "../services.js";

const supergraph = readFileSync(process.env.SUPERGRAPH ?? "supergraph.graphql", "utf8");
const propagateHeaders = { fromClientToSubgraphs: ({ subgraphName }) => headersFor(subgraphName) };
serve(createGatewayRuntime({ supergraph, propagateHeaders }), 4012);
