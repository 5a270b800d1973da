import type { PackageRowFragment } from "../gql/graphql";
import { number } from "./numbers";
import { Sparkline } from "./Sparkline";

type Activity = NonNullable<PackageRowFragment["commitActivity"]>;

/** The commits of 52 weeks as a number and a line, or that they are not counted. */
export function Commits({ activity }: { activity: Activity | null | undefined }) {
  if (!activity) return <span className="unknown">not counted</span>;
  return (
    <span className="commits">
      <span className="amount">{number(activity.total52)}</span>
      <Sparkline weekly={activity.weekly} label={describe(activity)} />
    </span>
  );
}

function describe({ total52, trend }: Activity): string {
  if (total52 === 0) return "No commits in 52 weeks";
  const halves = trend > 0 ? "more than in" : trend < 0 ? "fewer than in" : "as many as in";
  return `${number(total52)} commits in 52 weeks, in the newer half ${halves} the older`;
}
