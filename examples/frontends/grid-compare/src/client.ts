import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { relayStylePagination } from "@apollo/client/utilities";
import { OperationTypeNode } from "graphql";
import { createClient } from "graphql-ws";

declare module "@apollo/client" {
  namespace ApolloClient.DeclareDefaultOptions {
    interface WatchQuery {
      errorPolicy: "all";
    }
  }
}

/** By GET the browser keeps answers too, as long as the gateway says that they are good. */
const queries = new HttpLink({ uri: "/graphql", useGETForQueries: true });

const subscriptions = new GraphQLWsLink(createClient({ url: `${location.origin.replace(/^http/, "ws")}/graphql` }));

/** Keeps what it was told, so that a page which was open before needs no request: not even a network. */
export const client = new ApolloClient({
  link: ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    subscriptions,
    queries,
  ),
  cache: new InMemoryCache({
    typePolicies: {
      Query: {
        fields: {
          catalog: { merge: true },
          grids: relayStylePagination(["filter", "orderBy"]),
          search: relayStylePagination(["query"]),
        },
      },
      Grid: { fields: { packagesConnection: relayStylePagination(["orderBy"]) } },
    },
  }),
  defaultOptions: {
    // What could not be loaded is null at its own place; the rest of the answer is worth showing.
    watchQuery: { errorPolicy: "all" },
  },
});

// Whoever was offline gets what failed meanwhile.
window.addEventListener("online", () => void client.refetchQueries({ include: "active" }));
