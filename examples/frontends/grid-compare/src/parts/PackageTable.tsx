import { Link } from "react-router";

import { graphql } from "../gql";
import type { PackageOrder, PackageRowFragment } from "../gql/graphql";
import { Ago } from "./Ago";
import { Commits } from "./Commits";
import { number } from "./numbers";
import { MOST_COMPARED } from "./SideBySide";

graphql(`
  fragment PackageRow on Package {
    id
    slug
    title
    repoDescription
    repoWatchers
    repoForks
    pypiVersion
    lastCommitAt
    commitActivity {
      weekly
      total52
      trend
    }
  }
`);

interface Column {
  name: string;
  className?: string;
  /** What a first click orders by, and a second. Without it the gateway has no such order. */
  orders?: [PackageOrder, PackageOrder];
}

const COLUMNS: Column[] = [
  { name: "Package", orders: ["TITLE_ASC", "TITLE_DESC"] },
  { name: "Stars", className: "amount", orders: ["STARS_DESC", "STARS_ASC"] },
  { name: "Forks", className: "amount", orders: ["FORKS_DESC", "FORKS_ASC"] },
  { name: "Release" },
  { name: "Last commit", orders: ["LAST_COMMIT_DESC", "LAST_COMMIT_ASC"] },
  { name: "Commits, 52 weeks", orders: ["COMMITS_DESC", "COMMITS_ASC"] },
];

/** The order that an address names, or the most starred first. */
export function orderOf(name: string | null): PackageOrder {
  return COLUMNS.flatMap(({ orders }) => orders ?? []).find((order) => order === name) ?? "STARS_DESC";
}

interface PackageTableProps {
  caption: string;
  packages: PackageRowFragment[];
  orderBy: PackageOrder;
  setOrder: (order: PackageOrder) => void;
  /** The slugs of those that stand side by side. */
  picked: string[];
  pick: (slug: string) => void;
  busy: boolean;
}

/** Packages below each other, with what they are compared by. The gateway orders them, not this page of them. */
export function PackageTable({ caption, packages, orderBy, setOrder, picked, pick, busy }: PackageTableProps) {
  return (
    <div className="scroll" role="region" aria-label={caption} tabIndex={0}>
      <table className="packages" aria-busy={busy}>
        <caption>
          {caption}. Tick up to {MOST_COMPARED} to see them side by side. Each line of commits is as high as its own
          busiest week.
        </caption>
        <thead>
          <tr>
            <th scope="col" className="pick">
              <span className="unseen">Compare</span>
            </th>
            {COLUMNS.map((column) => (
              <Header key={column.name} column={column} orderBy={orderBy} setOrder={setOrder} />
            ))}
          </tr>
        </thead>
        <tbody>
          {packages.map((each) => (
            <tr key={each.id} className={picked.includes(each.slug) ? "picked" : undefined}>
              <td className="pick">
                <input
                  type="checkbox"
                  aria-label={`Compare ${each.title}`}
                  checked={picked.includes(each.slug)}
                  disabled={picked.length >= MOST_COMPARED && !picked.includes(each.slug)}
                  onChange={() => pick(each.slug)}
                />
              </td>
              <th scope="row">
                <Link to={`/packages/${each.slug}`}>{each.title}</Link>
                {each.repoDescription && <span className="about">{each.repoDescription}</span>}
              </th>
              <td className="amount">{number(each.repoWatchers)}</td>
              <td className="amount">{number(each.repoForks)}</td>
              <td>{each.pypiVersion || <span className="unknown">none</span>}</td>
              <td>{each.lastCommitAt ? <Ago moment={each.lastCommitAt} /> : <span className="unknown">unknown</span>}</td>
              <td>
                <Commits activity={each.commitActivity} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface HeaderProps {
  column: Column;
  orderBy: PackageOrder;
  setOrder: (order: PackageOrder) => void;
}

function Header({ column: { name, className, orders }, orderBy, setOrder }: HeaderProps) {
  if (!orders) {
    return (
      <th scope="col" className={className}>
        {name}
      </th>
    );
  }
  const [first, second] = orders;
  const isOrdered = orders.includes(orderBy);
  const direction = orderBy.endsWith("_ASC") ? "ascending" : "descending";
  return (
    <th scope="col" className={className} aria-sort={isOrdered ? direction : undefined}>
      <button type="button" onClick={() => setOrder(orderBy === first ? second : first)}>
        {name}
        <span className="arrow" aria-hidden="true">
          {isOrdered ? (direction === "ascending" ? "↑" : "↓") : "↕"}
        </span>
      </button>
    </th>
  );
}
