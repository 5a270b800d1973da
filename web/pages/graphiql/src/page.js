// What both pages share: GraphiQL in the place of the plain form, with what is in the form, and the address in step
// with it. React and GraphiQL are whichever the page has.
import { copy } from "/pages/scripts/copy_buttons.js";
import { linkTo } from "/pages/scripts/query_form.js";
import { receipts } from "./receipt.js";

export async function show({ React, createRoot, GraphiQL, createFetcher, plugins }) {
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
      const { query, variables, operationName } = tabs[activeTabIndex];
      // Of several operations it is the name that says which one; one alone needs none.
      const isOneOfSeveral = (query?.match(/^\s*(query|subscription)\b/gm) ?? []).length > 1;
      const next = { query: query ?? "", variables: variables ?? "", operationName: isOneOfSeveral ? operationName : "" };
      if (next.query === current.query && next.variables === current.variables) {
        if ((next.operationName ?? "") === current.operationName) return;
      }
      current = { ...next, operationName: next.operationName ?? "" };
      follow();
    },
  };
  if (isGiven) {
    props.initialQuery = opened.query;
    props.initialVariables = opened.variables || undefined;
  }
  const link = h("button", { type: "button", className: "small", onClick: (event) => copyLink(event.target) }, "Copy link");
  const parts = [h(GraphiQL.Logo, { key: "link" }, link), h(GraphiQL.Footer, { key: "line" }, h(Line))];
  const root = document.getElementById("graphiql");
  createRoot(root).render(h(GraphiQL, props, ...parts));
  await shown(root);
  document.getElementById("plain").remove();
  root.classList.remove("waiting");
  document.body.classList.add("taken-over");
  // The answer that the form had. GraphiQL takes no notice of the button until it knows its editors.
  if (!isGiven && !form.querySelector(".answer code").textContent) return;
  for (let tries = 0; tries < 20 && !hasRun; tries++) {
    root.querySelector(".graphiql-execute-button")?.click();
    await new Promise((later) => setTimeout(later, 100));
  }

  function copyLink(button) {
    const address = linkTo(current);
    if (address) copy(new URL(address, location.href).href, button);
    else button.textContent = "Too long for a link";
  }
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
