// Asks a query several times with Apollo Client's PersistedQueryLink, and prints each HTTP request and each result:
//   node persisted.js URL QUERY HOW_MANY [MANIFEST]
// The hashes are made at run time, or with a manifest are taken from it.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import persistedQueryLists from "@apollo/persisted-query-lists";

const [uri, query, count, manifest] = process.argv.slice(2);
const ids = manifest
  ? persistedQueryLists.generatePersistedQueryIdsFromManifest({
      loadManifest: () => JSON.parse(readFileSync(manifest, "utf8")),
    })
  : { sha256: (text) => createHash("sha256").update(text).digest("hex") };
const http = new HttpLink({
  uri,
  fetch: async (address, options) => {
    const sent = options.method === "GET" ? new URL(address).searchParams.has("query") : "query" in JSON.parse(options.body);
    const response = await fetch(address, options);
    console.log(JSON.stringify({ method: options.method, text: sent, status: response.status }));
    return response;
  },
});
const link = ApolloLink.from([new PersistedQueryLink({ ...ids, useGETForHashedQueries: true }), http]);
const client = new ApolloClient({ link, cache: new InMemoryCache() });
for (let n = 0; n < Number(count); n++) {
  const { data, error } = await client.query({ query: gql(query), fetchPolicy: "no-cache", errorPolicy: "all" });
  console.log(JSON.stringify({ data, error: error?.message }));
}
