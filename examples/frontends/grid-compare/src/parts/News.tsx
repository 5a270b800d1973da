import { useQuery } from "@apollo/client/react";
import { useState } from "react";
import { Link } from "react-router";

import { graphql } from "../gql";
import { Ago } from "./Ago";
import { number } from "./numbers";

const NEWS = graphql(`
  query News {
    catalog {
      historySince
    }
    packages(first: 5) {
      nodes {
        id
        slug
        title
        created
      }
    }
  }
`);

const TRENDING = graphql(`
  query Trending($since: DateTime!) {
    trending(since: $since, first: 5) {
      gained
      starsAfter
      package {
        id
        slug
        title
      }
    }
  }
`);

const MONTH = 30 * 86_400_000;

/** The newest packages, and those that gained the most stars in the last 30 days. Nothing until they are there. */
export function News() {
  const [monthAgo] = useState(() => new Date(Date.now() - MONTH).toISOString());
  const news = useQuery(NEWS).data;
  const begun = news?.catalog.historySince;
  const since = begun && Date.parse(begun) > Date.parse(monthAgo) ? begun : monthAgo;
  const trends = useQuery(TRENDING, { variables: { since }, skip: !begun }).data?.trending ?? [];
  const newest = news?.packages?.nodes.flatMap((each) => each ?? []) ?? [];
  if (newest.length === 0) return null;
  return (
    <>
      <section aria-labelledby="newest">
        <h2 id="newest">New packages</h2>
        <ul className="results columns">
          {newest.map((each) => (
            <li key={each.id}>
              <h3>
                <Link to={`/packages/${each.slug}`}>{each.title}</Link>
              </h3>
              <p className="facts">
                added <Ago moment={each.created} />
              </p>
            </li>
          ))}
        </ul>
      </section>
      {trends.length > 0 && (
        <section aria-labelledby="trending">
          <h2 id="trending">Most stars gained lately</h2>
          <ul className="results columns">
            {trends.map(({ package: each, gained, starsAfter }) => (
              <li key={each.id}>
                <h3>
                  <Link to={`/packages/${each.slug}`}>{each.title}</Link>
                </h3>
                <p className="facts">
                  +{number(gained)} to {number(starsAfter)} since <Ago moment={since} />
                </p>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}
