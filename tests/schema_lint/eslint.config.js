// The recommended rules for schemas, and those for Relay.
import graphql from "@graphql-eslint/eslint-plugin";

// Values, which are part of something else and have no identity of their own.
const values = [
  "ActiveShare", "Amount", "CatalogStatus", "CategoryCount", "Change", "ChangeFeed", "CoContributor", "CommitActivity",
  "ComparedPackage", "FieldChange", "HostCount", "PageInfo", "PypiProject", "RecordedChange", "RefusedCrawl",
  "RelatedPackage", "RemovedPackage", "RemovedPackages", "Repository", "SearchHit", "Stats", "Trend",
];

export default [
  {
    files: ["**/*.graphql"],
    languageOptions: {
      parser: graphql.parser,
      parserOptions: { graphQLConfig: { schema: "schema.graphql" } },
    },
    plugins: { "@graphql-eslint": graphql },
    rules: {
      ...graphql.configs["flat/schema-recommended"].rules,
      ...graphql.configs["flat/schema-relay"].rules,
      "@graphql-eslint/strict-id-in-types": [
        "error",
        { exceptions: { types: values, suffixes: ["Connection", "Edge"] } },
      ],
      // Short lists are plain lists: the grids of a package, the keys of a bulk lookup.
      "@graphql-eslint/relay-edge-types": [
        "error",
        { withEdgeSuffix: true, shouldImplementNode: true, listTypeCanWrapOnlyEdgeType: false },
      ],
      // A search is paged forwards only.
      "@graphql-eslint/relay-arguments": ["error", { includeBoth: false }],
    },
  },
];
