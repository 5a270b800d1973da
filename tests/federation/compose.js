// Composes subgraphs with three composers, and prints what each says: its errors and its hints. Each argument is one
// composition, a JSON object of files by the names of their subgraphs; what is printed is a list of as many.
import { readFileSync } from "node:fs";
import * as apollo from "@apollo/composition";
import * as openSource from "@theguild/federation-composition";
import { federateSubgraphs } from "@wundergraph/composition";
import { parse } from "graphql";

function said({ errors, hints }) {
  return {
    errors: (errors ?? []).map((error) => [error.extensions.code, error.message]),
    hints: (hints ?? []).map((hint) => [hint.definition.level.name, hint.definition.code, hint.message]),
  };
}

function cosmo(subgraphs) {
  const composed = federateSubgraphs({
    subgraphs: subgraphs.map(({ name, typeDefs }) => ({ name, url: `http://${name}.invalid`, definitions: typeDefs })),
  });
  const errors = composed.success ? [] : composed.errors.map((error) => [error.name, error.message]);
  return { errors, hints: composed.warnings.map((warning) => ["WARN", warning.name, warning.message]) };
}

function composed(files) {
  const subgraphs = Object.entries(files).map(([name, file]) => ({ name, typeDefs: parse(readFileSync(file, "utf8")) }));
  return {
    apollo: said(apollo.composeServices(subgraphs)),
    open_source: said(openSource.composeServices(subgraphs)),
    cosmo: cosmo(subgraphs),
  };
}

console.log(JSON.stringify(process.argv.slice(2).map((files) => composed(JSON.parse(files)))));
