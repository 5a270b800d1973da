import type { CodegenConfig } from "@graphql-codegen/cli";

/** Types of every operation in src/, from the schema of the gateway, as `graphql()` documents in src/gql/. */
const config: CodegenConfig = {
  schema: "../../../schema.graphql",
  documents: ["src/**/*.{ts,tsx}", "!src/gql/**"],
  generates: {
    "src/gql/": {
      preset: "client",
      presetConfig: { fragmentMasking: false },
      config: { scalars: { DateTime: "string", JSON: "unknown" }, useTypeImports: true, enumsAsTypes: true },
    },
  },
};

export default config;
