// A service with a count of the requests to it: a server in front that passes everything on.
import { once } from "node:events";
import { createServer, request } from "node:http";

export async function counted(url) {
  const service = { requests: 0 };
  const { hostname, port } = new URL(url);
  const server = createServer((incoming, outgoing) => {
    service.requests += 1;
    const { method, headers, url: path } = incoming;
    const onward = request({ hostname, port, path, method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    });
    onward.once("error", () => outgoing.destroy());
    incoming.pipe(onward);
  });
  server.unref();
  await once(server.listen(0, "127.0.0.1"), "listening");
  service.url = `http://127.0.0.1:${server.address().port}/graphql`;
  return service;
}
