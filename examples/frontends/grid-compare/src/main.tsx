import { ApolloProvider } from "@apollo/client/react";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { RouterProvider } from "react-router";

import { client } from "./client";
import { router } from "./routes";
import "../../../../web/pages/styles/tokens.css";
import "../../../../web/pages/styles/elements.css";
import "../../../../web/pages/styles/frame.css";
import "./styles/frame.css";
import "./styles/lists.css";
import "./styles/tables.css";
import "./styles/package.css";

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <ApolloProvider client={client}>
      <RouterProvider router={router} />
    </ApolloProvider>
  </StrictMode>,
);
