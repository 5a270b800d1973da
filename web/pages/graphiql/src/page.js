// What both pages share: the tabs, the fetcher, and the receipt. React and GraphiQL are whichever the page has.
import { receipts } from "./receipt.js";

export async function show({ React, createRoot, GraphiQL, createFetcher, plugins }) {
  const { plugin, Line, take } = receipts(React);
  const fetcher = createFetcher({
    url: "/graphql",
    subscriptionUrl: `${location.origin.replace("http", "ws")}/graphql`,
    headers: { "X-Gateway-Receipt": "1" },
    fetch: async (...request) => take(await fetch(...request)),
    schemaFetcher: createFetcher({ url: "/graphql" }),
  });
  const props = { fetcher, plugins: [...plugins, plugin], defaultTabs: await tabs() };
  const line = React.createElement(GraphiQL.Footer, null, React.createElement(Line));
  createRoot(document.getElementById("graphiql")).render(React.createElement(GraphiQL, props, line));
}

// The examples; without them GraphiQL opens its own first tab.
async function tabs() {
  const response = await fetch("/graphiql/tabs.json");
  return response.ok ? response.json() : undefined;
}
