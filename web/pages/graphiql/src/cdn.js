// The page without a build: GraphiQL and React are globals, from the scripts of a CDN, each held to its hash. This
// GraphiQL has its history without being told. Where the CDN cannot be reached the plain form stays.
import { show } from "./page.js";

const FILES = [
  [
    "https://cdn.jsdelivr.net/npm/graphiql@3.9.0/graphiql.min.css",
    "sha384-QMux00XgRtwRLSYIY3kw2rj1ovk5AuuliAchk+HSQbqdbGFnz9GYuqIlOqxhwCE2",
  ],
  [
    "https://cdn.jsdelivr.net/npm/@graphiql/plugin-explorer@3.2.6/dist/style.css",
    "sha384-YN9MumWidbWKuNj8VfH5ggrFvm9YqAoIOMnKYpeGL3dr7Eg1qnQ+SAqSthdNZCjz",
  ],
  [
    "https://cdn.jsdelivr.net/npm/react@18.3.1/umd/react.production.min.js",
    "sha384-DGyLxAyjq0f9SPpVevD6IgztCFlnMF6oW/XQGmfe+IsZ8TqEiDrcHkMLKI6fiB/Z",
  ],
  [
    "https://cdn.jsdelivr.net/npm/react-dom@18.3.1/umd/react-dom.production.min.js",
    "sha384-gTGxhz21lVGYNMcdJOyq01Edg0jhn/c22nsx0kyqP0TxaV5WVdsSH1fSDUf5YJj1",
  ],
  [
    "https://cdn.jsdelivr.net/npm/graphiql@3.9.0/graphiql.min.js",
    "sha384-8NGfVj4CVlqHajlZj+bPJT4thxPMHMJYn7DWK2CvtopLd02E7qsPHazniBYvVjOO",
  ],
  [
    "https://cdn.jsdelivr.net/npm/@graphiql/plugin-explorer@3.2.6/dist/index.umd.js",
    "sha384-5p6hGdlOTvUy6Wf0GauxCz+xM9YB/YYvcGG+bf9msr2eyd+KVIxgRkepHgUijedJ",
  ],
];

function load([address, integrity]) {
  const isStyle = address.endsWith(".css");
  const element = Object.assign(document.createElement(isStyle ? "link" : "script"), {
    integrity,
    crossOrigin: "anonymous",
    // Scripts run in the order in which they are written above.
    ...(isStyle ? { rel: "stylesheet", href: address } : { async: false, src: address }),
  });
  return new Promise((done, failed) => {
    element.addEventListener("load", done);
    element.addEventListener("error", () => failed(new Error(`${address} did not load.`)));
    document.head.append(element);
  });
}

const loaded = await Promise.all([load([`/graphiql/source/page.css`, ""]), ...FILES.map(load)]).then(
  () => true,
  () => false,
);
if (loaded) {
  const { GraphiQL, GraphiQLPluginExplorer, React, ReactDOM } = globalThis;
  show({
    React,
    createRoot: ReactDOM.createRoot,
    GraphiQL,
    createFetcher: GraphiQL.createFetcher,
    plugins: [GraphiQLPluginExplorer.explorerPlugin()],
    // With several operations its button opens a menu, and waits for somebody to choose.
    useRun: () => () => document.querySelector(".graphiql-execute-button")?.click(),
  });
}
