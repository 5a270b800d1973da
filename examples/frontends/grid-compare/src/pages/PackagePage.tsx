import { useQuery } from "@apollo/client/react";
import { Link, useParams } from "react-router";

import { graphql } from "../gql";
import type { PackageQuery } from "../gql/graphql";
import { Ago } from "../parts/Ago";
import { Commits } from "../parts/Commits";
import { count, number } from "../parts/numbers";
import { Page } from "../parts/Page";
import { Problem } from "../parts/Problem";
import { SafeLink } from "../parts/SafeLink";
import { Skeleton } from "../parts/Skeleton";
import { StarHistory } from "../parts/StarHistory";
import { Trail } from "../parts/Trail";
import { NotFoundPage } from "./NotFoundPage";

const PACKAGE = graphql(`
  query Package($slug: String!) {
    package(slug: $slug) {
      ...PackageRow
      category {
        id
        title
      }
      pypi {
        name
        url
      }
      history(fields: ["stars"], last: 1000) {
        at
        from
        to
      }
      repoUrl
      documentationUrl
      participants
      grids {
        id
        slug
        title
        packageCount
      }
      relatedPackages(first: 8) {
        package {
          id
          slug
          title
          repoWatchers
        }
        sharedGrids {
          id
          title
        }
      }
    }
  }
`);

type Details = NonNullable<PackageQuery["package"]>;

/** A package: what it is, how it does, on which grids it is compared, and with what. */
export function PackagePage() {
  const { slug = "" } = useParams();
  const { data, error, loading, refetch } = useQuery(PACKAGE, { variables: { slug } });
  const found = data?.package;

  if (found === null && !error) return <NotFoundPage thing="package" />;
  const title = found?.title ?? "Package";
  const status = loading ? "Loading the package" : found ? `${found.title} loaded` : "";
  return (
    <Page title={title} status={status} trail={<Trail here={title} />}>
      {error && !loading && <Problem error={error} retry={() => void refetch()} partial={!!found} />}
      {!found && loading && <Skeleton lines={6} shape="rows" />}
      {found && (
        <>
          {found.repoDescription && <p className="lead">{found.repoDescription}</p>}
          <Facts found={found} />
          <Grids found={found} />
          <Related found={found} />
        </>
      )}
    </Page>
  );
}

function Facts({ found }: { found: Details }) {
  return (
    <>
      <dl className="figures">
        <div>
          <dt>Stars</dt>
          <dd>{number(found.repoWatchers)}</dd>
        </div>
        <div>
          <dt>Forks</dt>
          <dd>{number(found.repoForks)}</dd>
        </div>
        <div>
          <dt>Release</dt>
          <dd>{found.pypiVersion || "none"}</dd>
        </div>
        <div>
          <dt>Last commit</dt>
          <dd>{found.lastCommitAt ? <Ago moment={found.lastCommitAt} /> : "unknown"}</dd>
        </div>
        {!!found.history?.length && (
          <div className="wide">
            <dt>Stars gained</dt>
            <dd>
              <StarHistory changes={found.history} />
            </dd>
          </div>
        )}
        <div className="wide">
          <dt>Commits in 52 weeks</dt>
          <dd>
            <Commits activity={found.commitActivity} />
          </dd>
        </div>
      </dl>
      <ul className="links">
        {found.category && <li className="tag">{found.category.title}</li>}
        {found.repoUrl && (
          <li>
            <SafeLink to={found.repoUrl}>Repository</SafeLink>
          </li>
        )}
        {found.pypi && (
          <li>
            <SafeLink to={found.pypi.url}>PyPI</SafeLink>
          </li>
        )}
        {found.documentationUrl && (
          <li>
            <SafeLink to={found.documentationUrl}>Documentation</SafeLink>
          </li>
        )}
        {found.participants.length > 0 && <li>{count(found.participants.length, "contributor")}</li>}
      </ul>
    </>
  );
}

function Grids({ found }: { found: Details }) {
  const grids = found.grids.flatMap((grid) => grid ?? []);
  return (
    <section aria-labelledby="grids">
      <h2 id="grids">Compared on</h2>
      {grids.length === 0 && <p className="empty">No grid compares this package yet.</p>}
      <ul className="chips">
        {grids.map((grid) => (
          <li key={grid.id}>
            <Link to={`/grids/${grid.slug}?compare=${encodeURIComponent(found.slug)}`}>{grid.title}</Link>{" "}
            <span className="facts">{count(grid.packageCount, "package")}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Related({ found }: { found: Details }) {
  if (!found.relatedPackages?.length) return null;
  return (
    <section aria-labelledby="related">
      <h2 id="related">Related packages</h2>
      <ul className="results columns">
        {found.relatedPackages.map(({ package: each, sharedGrids }) => (
          <li key={each.id}>
            <h3>
              <Link to={`/packages/${each.slug}`}>{each.title}</Link>
            </h3>
            <p className="facts">
              {count(each.repoWatchers, "star")} · also on {sharedGrids.map(({ title }) => title).join(", ")}
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}
