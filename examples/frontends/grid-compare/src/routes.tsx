import { createBrowserRouter } from "react-router";

import { GridPage } from "./pages/GridPage";
import { GridsPage } from "./pages/GridsPage";
import { NotFoundPage } from "./pages/NotFoundPage";
import { PackagePage } from "./pages/PackagePage";
import { SearchPage } from "./pages/SearchPage";
import { Layout } from "./parts/Layout";

export const router = createBrowserRouter(
  [
    {
      element: <Layout />,
      children: [
        { index: true, element: <GridsPage /> },
        { path: "grids/:slug", element: <GridPage /> },
        { path: "packages/:slug", element: <PackagePage /> },
        { path: "search", element: <SearchPage /> },
        { path: "*", element: <NotFoundPage /> },
      ],
    },
  ],
  { basename: "/explore" },
);
