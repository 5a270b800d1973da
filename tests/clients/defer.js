// Asks a query with Apollo Client, which takes it in parts, and prints each state of the answer:
//   node defer.js URL QUERY
import { ApolloClient, HttpLink, InMemoryCache, NetworkStatus, gql } from "@apollo/client";
import { GraphQL17Alpha9Handler } from "@apollo/client/incremental";

const [uri, query] = process.argv.slice(2);
const client = new ApolloClient({
  link: new HttpLink({ uri }),
  cache: new InMemoryCache(),
  incrementalHandler: new GraphQL17Alpha9Handler(),
});
client.watchQuery({ query: gql(query), errorPolicy: "all" }).subscribe(({ data, dataState, error, networkStatus }) => {
  if (dataState === "empty" && !error) return;
  console.log(JSON.stringify({ data, dataState, error: error?.message }));
  if (networkStatus !== NetworkStatus.streaming) process.exit(0);
});
