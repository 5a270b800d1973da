// The page when GraphiQL has been built: everything comes from the gateway.
import "graphiql/style.css";
import "@graphiql/plugin-explorer/style.css";
import "./page.css";
import { explorerPlugin } from "@graphiql/plugin-explorer";
import { HISTORY_PLUGIN } from "@graphiql/plugin-history";
import { useGraphiQLActions } from "@graphiql/react";
import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import * as React from "react";
import { createRoot } from "react-dom/client";
import { show } from "./page.js";

globalThis.MonacoEnvironment = {
  getWorker(_id, label) {
    const name = label === "json" || label === "graphql" ? label : "editor";
    return new Worker(`/graphiql/${name}.worker.js`, { type: "module" });
  },
};

// From here, as a link in the page would keep it white until it has come.
const styles = Object.assign(document.createElement("link"), { rel: "stylesheet", href: "/graphiql/page.css" });
styles.addEventListener("load", () =>
  show({
    React,
    createRoot,
    GraphiQL,
    createFetcher: createGraphiQLFetcher,
    plugins: [HISTORY_PLUGIN, explorerPlugin()],
    useRun() {
      const { run, setOperationName } = useGraphiQLActions();
      return (name) => {
        if (name) setOperationName(name);
        run();
      };
    },
  }),
);
document.head.append(styles);
