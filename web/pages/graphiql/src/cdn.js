// The page without a build: GraphiQL and React are globals, from the scripts of a CDN. This GraphiQL has its history
// without being told.
import { show } from "./page.js";

const { GraphiQL, GraphiQLPluginExplorer, React, ReactDOM } = globalThis;
if (GraphiQL) {
  show({
    React,
    createRoot: ReactDOM.createRoot,
    GraphiQL,
    createFetcher: GraphiQL.createFetcher,
    plugins: [GraphiQLPluginExplorer.explorerPlugin()],
  });
}
