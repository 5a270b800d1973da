// Subscribes with graphql-ws and prints each result as a line, an error of the subscription as {"errors": ...}:
//   node ws.js URL '{"query": ..., "variables": ...}' HOW_MANY
import { createClient } from "graphql-ws";
import WebSocket from "ws";

const [url, request, count] = process.argv.slice(2);
const client = createClient({ url: url.replace("http", "ws"), webSocketImpl: WebSocket, retryAttempts: 0 });
let left = Number(count);
try {
  for await (const result of client.iterate(JSON.parse(request))) {
    console.log(JSON.stringify(result));
    if (--left === 0) break;
  }
} catch (errors) {
  if (!Array.isArray(errors)) throw errors;
  console.log(JSON.stringify({ errors }));
}
await client.dispose();
