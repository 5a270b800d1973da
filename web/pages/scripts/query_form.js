// Makes the form of web/pages/query_form.py answer in the page: colours, the address in step, and a link to copy.
import { copy } from "./copy_buttons.js";
import { colour, readable } from "./syntax_colours.js";

/** The longest address that the gateway reads, in characters after the `?`. */
const LONGEST_ADDRESS = 32_000;

for (const form of document.querySelectorAll(".query-form")) enhance(form);

function enhance(form) {
  const { query, variables, operationName } = form.elements;
  const [code, status] = [form.querySelector(".answer code"), form.querySelector("[role=status]")];
  const link = form.querySelector(".copy-link");

  for (const field of [query, variables]) colourWhileEdited(field);
  if (code.textContent) colour(code, code.textContent);
  const follow = () => "keepsAddress" in form.dataset && history.replaceState(null, "", linkTo(fields()) ?? "/graphql");
  form.addEventListener("input", follow);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    follow();
    status.textContent = "Waiting for the answer …";
    const began = performance.now();
    try {
      const answer = await ask(fields());
      colour(code, answer.text);
      const took = Math.round(performance.now() - began);
      status.textContent = `${answer.failed ? "An answer with errors" : "Answered"} in ${took} ms.`;
    } catch (error) {
      status.textContent = error.message;
    }
  });
  link.hidden = false;
  link.addEventListener("click", () => {
    const address = linkTo(fields());
    if (address) copy(new URL(address, location.href).href, link);
    else link.textContent = "Too long for a link";
  });

  function fields() {
    return { query: query.value, variables: variables.value.trim(), operationName: operationName.value.trim() };
  }
}

/** The address of GraphiQL with these fields; none if it would be too long. */
export function linkTo(fields) {
  const filled = Object.entries(fields).filter(([, value]) => value);
  const parameters = new URLSearchParams(filled).toString();
  return parameters.length <= LONGEST_ADDRESS ? `/graphql?${parameters}` : null;
}

async function ask({ query, variables, operationName }) {
  const body = { query, operationName: operationName || undefined };
  try {
    if (variables) body.variables = JSON.parse(variables);
  } catch (error) {
    throw new Error(`The variables are not JSON: ${error.message}`);
  }
  let response;
  try {
    response = await fetch("/graphql", {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/graphql-response+json, application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Error("The gateway cannot be reached; perhaps you are offline.");
  }
  const answer = await response.json();
  return { text: readable(answer), failed: "errors" in answer };
}

/** Puts a coloured copy under a field, which then shows only its caret. */
function colourWhileEdited(field) {
  const under = document.createElement("pre");
  under.setAttribute("aria-hidden", "true");
  field.before(under);
  field.parentElement.classList.add("coloured");
  // The last line needs something in it to have a height.
  const show = () => colour(under, `${field.value}\n`);
  field.addEventListener("input", show);
  show();
}
