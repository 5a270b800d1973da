// The receipt of the last answer: a panel of GraphiQL, and one line below the answer.
// The page asks for it, not its user: so it is taken out of the answer that is shown.

export function receipts(React) {
  const h = React.createElement;
  let last;
  const listeners = new Set();
  const useLast = () =>
    React.useSyncExternalStore(
      (listener) => (listeners.add(listener), () => listeners.delete(listener)),
      () => last,
    );

  // Takes the receipt out of a response of the gateway, if it has one, and shows it.
  async function take(response) {
    const type = response.headers.get("Content-Type") ?? "";
    if (!/[/+]json\b/.test(type)) return response;
    const { extensions = {}, ...answer } = await response.json();
    const { upstream, freshness, engine, work, cost, ...others } = extensions;
    last = upstream && { upstream, freshness, engine, work, cost };
    listeners.forEach((listener) => listener());
    const shown = Object.keys(others).length ? { ...answer, extensions: others } : answer;
    return new Response(JSON.stringify(shown), { status: response.status, headers: { "Content-Type": type } });
  }

  function Panel() {
    const receipt = useLast();
    return h(
      "section",
      // Without anything in it that takes the focus, a panel that scrolls needs it for the keyboard.
      { className: "receipt", "aria-label": "Receipt", tabIndex: 0 },
      h("div", { className: "graphiql-doc-explorer-title" }, "Receipt"),
      receipt ? h(Numbers, receipt) : h("p", null, "Run a query: what its answer cost is shown here."),
    );
  }

  function Numbers({ upstream, freshness, engine, work, cost }) {
    const kinds = Object.entries(upstream.requestsByKind ?? {});
    return h(
      React.Fragment,
      null,
      h("p", null, asked(upstream)),
      rows([
        ["Upstream requests", upstream.requests],
        ["Rounds", upstream.rounds],
        ["Milliseconds", upstream.milliseconds],
        ["Bytes", upstream.bytes],
        ["Records from memory", upstream.recordsFromMemory],
      ]),
      kinds.length > 0 && h("h2", null, "Requests by kind"),
      kinds.length > 0 && rows(kinds),
      h("h2", null, "Freshness"),
      rows([
        ["Data", state(freshness)],
        ["Age", freshness.ageSeconds === null ? "live" : duration(freshness.ageSeconds)],
        ["Refreshed at", freshness.refreshedAt && new Date(freshness.refreshedAt).toLocaleString()],
        ["Catalog", freshness.version],
        ["Being read anew", freshness.syncing ? "yes" : "no"],
      ]),
      cost && h("h2", null, "Cost"),
      cost &&
        rows([
          ["Units", cost.actual.units],
          ["Units as predicted", cost.predicted.units],
          ["Values", cost.actual.values],
          ["Steps of work", work?.steps],
        ]),
      engine && h("h2", null, "Run by"),
      engine && h("p", null, engine.used ? "the gateway's engine" : `Strawberry: ${engine.handedOver ?? "engine off"}`),
    );
  }

  function Line() {
    const receipt = useLast();
    if (!receipt) return null;
    const { requests, rounds, milliseconds } = receipt.upstream;
    const parts = [count(requests, "upstream request"), count(rounds, "round"), `${milliseconds} ms`];
    return h("div", { className: "receipt-line", role: "status" }, [...parts, state(receipt.freshness)].join(" · "));
  }

  const rows = (pairs) =>
    h(
      "dl",
      null,
      pairs
        .filter(([, value]) => value !== null && value !== undefined)
        .map(([name, value]) => h("div", { key: name }, h("dt", null, name), h("dd", null, number(value)))),
    );

  const icon = () =>
    h(
      "svg",
      { viewBox: "0 0 16 16", fill: "none", stroke: "currentColor", strokeWidth: 1.4, "aria-hidden": true },
      h("path", { d: "M3 1.5v13l1.7-1.2 1.6 1.2L8 13.3l1.7 1.2 1.6-1.2 1.7 1.2v-13z", strokeLinejoin: "round" }),
      h("path", { d: "M5.5 5h5M5.5 8h5M5.5 10.5h3", strokeLinecap: "round" }),
    );

  return { plugin: { title: "Receipt", icon, content: Panel }, Line, take };
}

const asked = ({ requests }) =>
  requests === 0
    ? "This needed no request to Django Packages: every record was in memory."
    : `Django Packages was asked ${requests === 1 ? "once" : `${requests} times`} for this answer.`;

const state = ({ ageSeconds, stale }) => (ageSeconds === null ? "live" : stale ? "stale" : "fresh");

const count = (n, noun) => `${n} ${noun}${n === 1 ? "" : "s"}`;

const number = (value) => (typeof value === "number" ? value.toLocaleString("en") : value);

function duration(seconds) {
  if (seconds < 120) return count(seconds, "second");
  if (seconds < 2 * 3600) return count(Math.floor(seconds / 60), "minute");
  return count(Math.floor(seconds / 3600), "hour");
}
