// How each program here listens: on PORT, or else the port it is known by, until it is told to stop.
import { createServer } from "node:http";

export function serve(handler, port) {
  const server = createServer(handler);
  server.listen(Number(process.env.PORT ?? port), "127.0.0.1", () => {
    console.log(`http://127.0.0.1:${server.address().port}/graphql`);
  });
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, () => {
      server.close();
      server.closeAllConnections();
    });
  }
}
