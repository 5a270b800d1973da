// Hive Gateway, over the composed supergraph.graphql. This is the library inside the command hive-gateway.
import { createGatewayRuntime } from "@graphql-hive/gateway-runtime";
import { serve } from "../serve.js";
import { headersFor } from "../services.js";
import { supergraph } from "../supergraph.js";

const propagateHeaders = { fromClientToSubgraphs: ({ subgraphName }) => headersFor(subgraphName) };
serve(createGatewayRuntime({ supergraph, propagateHeaders }), 4012);
