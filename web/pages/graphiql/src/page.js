// What both pages share: GraphiQL in the place of the plain form, with what is in the form, and the address in step
// with it. React and GraphiQL are whichever the page has.
import { copy } from "/pages/scripts/copy_buttons.js";
import { linkTo } from "/pages/scripts/query_form.js";
import { receipts } from "./receipt.js";

/** `useRun` is a hook that gives what runs the operation of a name, or the only one. */
export async function show({ React, createRoot, GraphiQL, createFetcher, plugins, useRun }) {
  const h = React.createElement;
  const form = document.querySelector(".query-form");
  const examples = await tabs();
  await untilNobodyWrites(form);
  const opened = fieldsOf(form);
  const isGiven = location.search !== "" || form.elements.query.value !== form.elements.query.defaultValue;
  let current = opened;
  let hasRun = false;

  const { plugin, Line, take } = receipts(React);
  const fetcher = createFetcher({
    url: "/graphql",
    subscriptionUrl: `${location.origin.replace("http", "ws")}/graphql`,
    headers: { "X-Gateway-Receipt": "1" },
    fetch: async (...request) => {
      hasRun = true;
      if (isGiven || current !== opened) follow();
      return take(await fetch(...request));
    },
    schemaFetcher: createFetcher({ url: "/graphql" }),
  });
  const follow = () => history.replaceState(null, "", linkTo(current) ?? "/graphql");
  const props = {
    fetcher,
    plugins: [...plugins, plugin],
    defaultTabs: isGiven ? [opened, ...examples] : examples,
    onTabChange: ({ tabs, activeTabIndex }) => {
      const next = fieldsOfTab(tabs[activeTabIndex]);
      if (Object.keys(next).every((name) => next[name] === current[name])) return;
      current = next;
      follow();
    },
  };
  if (isGiven) {
    props.initialQuery = opened.query;
    props.initialVariables = opened.variables || undefined;
  }
  const link = h("button", { type: "button", className: "small", onClick: (event) => copyLink(event.target) }, "Copy link");
  let run;
  const Below = () => {
    run = useRun();
    return h(Line);
  };
  const parts = [h(GraphiQL.Logo, { key: "link" }, link), h(GraphiQL.Footer, { key: "line" }, h(Below))];
  const root = document.getElementById("graphiql");
  createRoot(root).render(h(GraphiQL, props, ...parts));
  await shown(root);
  document.getElementById("plain").remove();
  root.classList.remove("waiting");
  document.body.classList.add("taken-over");
  // The answer that the form had. GraphiQL runs nothing until it knows its editors.
  if (!isGiven && !form.querySelector(".answer code").textContent) return;
  for (let tries = 0; tries < 20 && !hasRun; tries++) {
    run(opened.operationName);
    await new Promise((later) => setTimeout(later, 100));
  }

  function copyLink(button) {
    const address = linkTo(current);
    if (address) copy(new URL(address, location.href).href, button);
    else button.textContent = "Too long for a link";
  }
}

/** What a tab shares. Of several operations it is the name that says which one; one alone needs none. */
function fieldsOfTab({ query, variables, operationName }) {
  const operations = query?.match(/^\s*(query|subscription)\b/gm) ?? [];
  const name = operations.length > 1 ? operationName : "";
  return { query: query ?? "", variables: variables ?? "", operationName: name ?? "" };
}

function fieldsOf(form) {
  const { query, variables, operationName } = form.elements;
  return { query: query.value, variables: variables.value.trim(), operationName: operationName.value.trim() };
}

/** Whoever writes in the plain form is not interrupted. */
async function untilNobodyWrites(form) {
  const isEdited = () => form.elements.query.value !== form.elements.query.defaultValue;
  while (form.contains(document.activeElement) && isEdited()) {
    await new Promise((left) => form.addEventListener("focusout", () => setTimeout(left), { once: true }));
  }
}

/** Waits until GraphiQL has its editors, which come after it. */
function shown(root) {
  const editors = [".graphiql-query-editor", ".result-window"].flatMap((place) => [
    `${place} .monaco-editor`,
    `${place} .CodeMirror`,
  ]);
  const isThere = () => root.querySelectorAll(editors.join()).length >= 2;
  return new Promise((done) => {
    if (isThere()) return done();
    new MutationObserver((_changes, observer) => {
      if (!isThere()) return;
      observer.disconnect();
      done();
    }).observe(root, { childList: true, subtree: true });
  });
}

// The examples; without them GraphiQL opens its own first tab.
async function tabs() {
  const response = await fetch("/graphiql/tabs.json");
  return response.ok ? response.json() : [];
}
