// Subscribes with graphql-sse and prints each result as a line:
//   node sse.js URL '{"query": ..., "variables": ...}' HOW_MANY
import { createClient } from "graphql-sse";

const [url, request, count] = process.argv.slice(2);
const client = createClient({ url, singleConnection: false, retryAttempts: 0 });
let left = Number(count);
for await (const result of client.iterate(JSON.parse(request))) {
  console.log(JSON.stringify(result));
  if (--left === 0) break;
}
client.dispose();
