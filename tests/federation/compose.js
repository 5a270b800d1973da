// Composes subgraphs, `name=file` each, and prints what Apollo's composition says.
import { readFileSync } from "node:fs";
import { composeServices } from "@apollo/composition";
import { parse } from "graphql";

const { errors, hints } = composeServices(
  process.argv.slice(2).map((argument) => {
    const [name, file] = argument.split("=");
    return { name, typeDefs: parse(readFileSync(file, "utf8")) };
  }),
);
console.log(
  JSON.stringify({
    errors: (errors ?? []).map((error) => [error.extensions.code, error.message]),
    hints: (hints ?? []).map((hint) => [hint.definition.level.name, hint.definition.code, hint.message]),
  }),
);
