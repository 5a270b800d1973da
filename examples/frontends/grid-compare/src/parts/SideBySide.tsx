import { useQuery } from "@apollo/client/react";
import type { ReactNode } from "react";
import { Link } from "react-router";

import { graphql } from "../gql";
import type { ComparisonQuery } from "../gql/graphql";
import { Ago } from "./Ago";
import { Commits } from "./Commits";
import { number } from "./numbers";
import { Problem } from "./Problem";

/** As many columns as fit beside each other. */
export const MOST_COMPARED = 4;

const COMPARISON = graphql(`
  query Comparison($grid: String!, $slugs: [String!]!) {
    grid(slug: $grid) {
      id
      compare(slugs: $slugs) {
        package {
          ...PackageRow
        }
        starsRank
        forksRank
        commitsRank
        lastCommitRank
      }
    }
  }
`);

type Compared = NonNullable<NonNullable<NonNullable<ComparisonQuery["grid"]>["compare"]>[number]>;

interface SideBySideProps {
  grid: string;
  slugs: string[];
  remove: (slug: string) => void;
}

/** Packages of a grid beside each other, each number with its rank among all of the grid. */
export function SideBySide({ grid, slugs, remove }: SideBySideProps) {
  const answer = useQuery(COMPARISON, { variables: { grid, slugs } });
  const compare = (answer.data ?? answer.previousData)?.grid?.compare ?? [];
  // What was taken out leaves at once, before the next answer.
  const compared = compare.flatMap((each) => (each && slugs.includes(each.package.slug) ? each : []));
  return (
    <div className="side-by-side" aria-busy={answer.loading}>
      <h2 id="side-by-side">Side by side</h2>
      {answer.error && <Problem error={answer.error} retry={() => void answer.refetch()} partial />}
      {compared.length > 0 && (
        <div className="scroll" role="region" aria-labelledby="side-by-side" tabIndex={0}>
          <table>
            <caption className="unseen">The picked packages, with their ranks on this grid</caption>
            <thead>
              <tr>
                <td />
                {compared.map(({ package: each }) => (
                  <th key={each.id} scope="col">
                    <Link to={`/packages/${each.slug}`}>{each.title}</Link>
                    <button type="button" onClick={() => remove(each.slug)} aria-label={`Take ${each.title} out`}>
                      <span aria-hidden="true">×</span>
                    </button>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              <Row name="Stars" compared={compared} rank={(each) => each.starsRank}>
                {({ package: each }) => number(each.repoWatchers)}
              </Row>
              <Row name="Forks" compared={compared} rank={(each) => each.forksRank}>
                {({ package: each }) => number(each.repoForks)}
              </Row>
              <Row name="Release" compared={compared}>
                {({ package: each }) => each.pypiVersion || "none"}
              </Row>
              <Row name="Last commit" compared={compared} rank={(each) => each.lastCommitRank}>
                {({ package: each }) => (each.lastCommitAt ? <Ago moment={each.lastCommitAt} /> : "unknown")}
              </Row>
              <Row name="Commits" compared={compared} rank={(each) => each.commitsRank}>
                {({ package: each }) => <Commits activity={each.commitActivity} />}
              </Row>
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}

interface RowProps {
  name: string;
  compared: Compared[];
  rank?: (each: Compared) => number | null;
  children: (each: Compared) => ReactNode;
}

function Row({ name, compared, rank, children }: RowProps) {
  return (
    <tr>
      <th scope="row">{name}</th>
      {compared.map((each) => {
        const place = rank?.(each);
        return (
          <td key={each.package.id}>
            {children(each)}
            {place != null && <span className={place === 1 ? "rank best" : "rank"}>rank {place}</span>}
          </td>
        );
      })}
    </tr>
  );
}
