// Apollo Gateway in Apollo Server, over the composed supergraph.graphql.
import { ApolloGateway, RemoteGraphQLDataSource } from "@apollo/gateway";
import { ApolloServer } from "@apollo/server";
import { startStandaloneServer } from "@apollo/server/standalone";
import { headersFor } from "../services.js";
import { supergraph } from "../supergraph.js";

const gateway = new ApolloGateway({
  supergraphSdl: supergraph,
  buildService: ({ name, url }) =>
    new RemoteGraphQLDataSource({
      url,
      willSendRequest({ request }) {
        for (const [header, value] of Object.entries(headersFor(name))) request.http.headers.set(header, value);
      },
    }),
});
// What a service says of an error is for clients, but not the address of one that did not answer.
function formatError(error) {
  const { code, serviceName } = error.extensions;
  if (serviceName || code !== "INTERNAL_SERVER_ERROR") return error;
  return { ...error, message: "A service did not answer.", extensions: { code } };
}

const server = new ApolloServer({
  gateway,
  formatError,
  introspection: true,
  includeStacktraceInErrorResponses: false,
});
const { url } = await startStandaloneServer(server, {
  listen: { port: Number(process.env.PORT ?? 4011), host: "127.0.0.1" },
});
console.log(url);
