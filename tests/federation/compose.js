// Composes subgraphs, `name=file` each, with three composers, and prints what each says: its errors and its hints.
import { readFileSync } from "node:fs";
import * as apollo from "@apollo/composition";
import * as openSource from "@theguild/federation-composition";
import { federateSubgraphs } from "@wundergraph/composition";
import { parse } from "graphql";

const subgraphs = process.argv.slice(2).map((argument) => {
  const [name, file] = argument.split("=");
  return { name, typeDefs: parse(readFileSync(file, "utf8")) };
});

function said({ errors, hints }) {
  return {
    errors: (errors ?? []).map((error) => [error.extensions.code, error.message]),
    hints: (hints ?? []).map((hint) => [hint.definition.level.name, hint.definition.code, hint.message]),
  };
}

function cosmo() {
  const composed = federateSubgraphs({
    subgraphs: subgraphs.map(({ name, typeDefs }) => ({ name, url: `http://${name}.invalid`, definitions: typeDefs })),
  });
  const errors = composed.success ? [] : composed.errors.map((error) => [error.name, error.message]);
  return { errors, hints: composed.warnings.map((warning) => ["WARN", warning.name, warning.message]) };
}

console.log(
  JSON.stringify({
    apollo: said(apollo.composeServices(subgraphs)),
    open_source: said(openSource.composeServices(subgraphs)),
    cosmo: cosmo(),
  }),
);
