import { useQuery } from "@apollo/client/react";

import { graphql } from "../gql";
import { Ago } from "./Ago";

const CATALOG = graphql(`
  query Catalog {
    catalog {
      refreshedAt
      stale
      source
    }
  }
`);

/** Milliseconds between looks, while somebody looks at the page. */
const PAUSE = 60_000;

/**
 * How old the data are. It is a question of its own: an answer that tells a time is never the same again, and
 * those of the pages are, so that caches can keep them.
 */
export function Freshness() {
  const { data } = useQuery(CATALOG, { pollInterval: PAUSE, skipPollAttempt: () => document.hidden });
  const refreshedAt = data?.catalog?.refreshedAt;
  if (!refreshedAt) return null;
  return (
    <p>
      Read from the site <Ago moment={refreshedAt} />.
    </p>
  );
}

/** Says so when the data are those of the gateway's embedded upstream. */
export function DemoNotice() {
  const { data } = useQuery(CATALOG, { fetchPolicy: "cache-first" });
  if (data?.catalog?.source !== "DEMO") return null;
  return (
    <aside className="demo" aria-label="About the data">
      <p className="width">
        Demo data: five real packages, the rest generated.{" "}
        <a href="/docs/operating.md#the-real-site">How to use the real site</a>
      </p>
    </aside>
  );
}

/** Says so when the gateway could not keep up with Django Packages. */
export function StaleNotice() {
  const { data } = useQuery(CATALOG, { fetchPolicy: "cache-only" });
  if (!data?.catalog?.stale) return null;
  return (
    <div className="notice" role="note">
      <p>
        <strong>These numbers are not up to date.</strong> Django Packages was last read{" "}
        {data.catalog.refreshedAt ? <Ago moment={data.catalog.refreshedAt} /> : "some time ago"}; the gateway goes on
        trying.
      </p>
    </div>
  );
}
