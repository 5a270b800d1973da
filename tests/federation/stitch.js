// Stitches the gateway (its address is the first argument) with two schemas of other teams, by its stitching dialect.
// Prints the answer to a query over all three (the second), and what the gateway was sent. One of the teams has a
// release for each of the names on PyPI in the third argument.
import { makeExecutableSchema } from "@graphql-tools/schema";
import { stitchSchemas } from "@graphql-tools/stitch";
import { stitchingDirectives } from "@graphql-tools/stitching-directives";
import { buildSchema, graphql, print } from "graphql";

const [gateway, query, pypiNames] = process.argv.slice(2);
const { stitchingDirectivesTransformer, stitchingDirectivesTypeDefs } = stitchingDirectives();

const sent = [];
async function ask({ document, variables }) {
  sent.push({ document: print(document), variables });
  const response = await fetch(`${gateway}/graphql`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ query: print(document), variables }),
  });
  return response.json();
}

const sdl = await (await fetch(`${gateway}/schema.graphql?dialect=stitching`)).text();
const packages = {
  schema: buildSchema(sdl),
  executor: ask,
  batch: true,
  // Contributors and categories are looked up one by one, and a request can have 50 root fields.
  batchingOptions: { dataLoaderOptions: { maxBatchSize: 50 } },
};

const names = JSON.parse(pypiNames);
const releases = {
  schema: makeExecutableSchema({
    typeDefs: `
      ${stitchingDirectivesTypeDefs}
      type Query {
        releases: [Release!]!
        packagesOfReleases(names: [String!]!): [Package]! @merge(keyField: "pypiName")
      }
      type Release { version: String! package: Package author: Contributor topic: Grid kind: Category }
      type Package { pypiName: String releases: [Release!]! }
      type Contributor { login: String! }
      type Grid { slug: String! }
      type Category { slug: String! }
    `,
    resolvers: {
      Query: {
        releases: () =>
          names.map((pypiName, place) => ({
            version: `${place}.0`,
            package: { pypiName },
            author: { login: "PMAC" },
            topic: { slug: "email" },
            kind: { slug: "apps" },
          })),
        packagesOfReleases: (_, { names }) =>
          names.map((pypiName) => ({ pypiName, releases: [{ version: "3.0", package: { pypiName } }] })),
      },
    },
  }),
};

const repositories = {
  schema: makeExecutableSchema({
    typeDefs: `
      ${stitchingDirectivesTypeDefs}
      type Query {
        archived: [Package!]!
        packagesOfRepositories(urls: [String!]!): [Package]! @merge(keyField: "repoUrl")
      }
      type Package { repoUrl: String! license: String }
    `,
    resolvers: {
      Query: {
        archived: () => [{ repoUrl: "git@github.com:pmclanahan/django-celery-email.git", license: "BSD" }],
        packagesOfRepositories: (_, { urls }) => urls.map((repoUrl) => ({ repoUrl, license: "MIT" })),
      },
    },
  }),
};

const schema = stitchSchemas({
  subschemas: [packages, releases, repositories],
  subschemaConfigTransforms: [
    stitchingDirectivesTransformer,
    // The gateway takes up to 100 keys at once.
    (config) => {
      for (const type of Object.values(config.merge ?? {})) {
        for (const entry of type.entryPoints ?? [type]) entry.dataLoaderOptions = { maxBatchSize: 100 };
      }
      return config;
    },
  ],
});
const answer = await graphql({ schema, source: query });
console.log(JSON.stringify({ answer, sent }));
