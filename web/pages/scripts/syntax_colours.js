// Colours code as web/pages/syntax_colours.py does, and writes JSON as the project's answers are written.

const TOKEN = new RegExp(
  [
    String.raw`(?<comment>#[^\n]*)`,
    String.raw`(?<name>"(?:\\.|[^"\\\n])*"(?=\s*:)|\b[A-Za-z_]\w*(?=\s*:))`,
    String.raw`(?<string>"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"?)`,
    String.raw`(?<number>\$\w+|(?<!\w)-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b)`,
    String.raw`(?<word>@\w+|\b(?:query|mutation|subscription|fragment|on|true|false|null)\b)`,
  ].join("|"),
  "g",
);

/** The longest code that is coloured, in characters: each span is an element. */
const MOST = 100_000;

/** Puts the code into an element, its parts in spans. */
export function colour(element, code) {
  element.replaceChildren();
  if (code.length > MOST) {
    element.textContent = code;
    return;
  }
  let end = 0;
  for (const token of code.matchAll(TOKEN)) {
    const kind = Object.keys(token.groups).find((name) => token.groups[name] !== undefined);
    const span = document.createElement("span");
    span.className = `code-${kind}`;
    span.textContent = token[0];
    element.append(code.slice(end, token.index), span);
    end = token.index + token[0].length;
  }
  element.append(code.slice(end));
}

/** Indented JSON in which a list or object of plain values stays on one line. */
export function readable(value, indent = "") {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const isList = Array.isArray(value);
  const deeper = `${indent}  `;
  const isPlain = Object.values(value).every((each) => each === null || typeof each !== "object");
  const parts = isList
    ? value.map((each) => readable(each, deeper))
    : Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}: ${readable(each, deeper)}`);
  const [open, close] = isList ? "[]" : "{}";
  if (isPlain) return `${open}${parts.join(", ")}${close}`;
  return `${open}\n${parts.map((part) => deeper + part).join(",\n")}\n${indent}${close}`;
}
