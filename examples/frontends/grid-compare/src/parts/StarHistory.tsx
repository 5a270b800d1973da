import { number } from "./numbers";

/** Units of the drawing; its size on the page is CSS's. */
const WIDTH = 156;
const HEIGHT = 32;
const STROKE = 2;

interface StarHistoryProps {
  /** The changes of the number of stars that the gateway noticed, oldest first; the numbers are JSON. */
  changes: readonly { at: string; from?: unknown; to?: unknown }[];
}

/** How the stars of a package grew, as a line in time. Nothing if they did not change while they were watched. */
export function StarHistory({ changes }: StarHistoryProps) {
  const [first] = changes;
  const last = changes.at(-1);
  if (!first || !last) return null;
  const begun = Date.parse(first.at);
  const length = Math.max(Date.parse(last.at) - begun, 1);
  const values = changes.map(({ to }) => Number(to));
  const numbers = [Number(first.from), ...values];
  const least = Math.min(...numbers);
  const range = Math.max(Math.max(...numbers) - least, 1);
  const height = (value: number) => (HEIGHT - STROKE - ((value - least) / range) * (HEIGHT - 2 * STROKE)).toFixed(1);
  // A number stays until the next one was noticed, so the line has steps.
  let before = numbers[0] ?? 0;
  const points = [`0,${height(before)}`];
  changes.forEach(({ at }, index) => {
    const x = (((Date.parse(at) - begun) / length) * WIDTH).toFixed(1);
    const value = values[index] ?? before;
    points.push(`${x},${height(before)}`, `${x},${height(value)}`);
    before = value;
  });
  const since = new Date(begun).toLocaleDateString("en", { dateStyle: "long" });
  const label = `From ${number(Number(first.from))} to ${number(before)} stars since ${since}`;
  return (
    <span className="commits">
      <span className="amount">{signed(before - Number(first.from))}</span>
      <svg className="sparkline" role="img" aria-label={label} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none">
        <polyline points={points.join(" ")} vectorEffect="non-scaling-stroke" />
      </svg>
    </span>
  );
}

function signed(value: number): string {
  return value > 0 ? `+${number(value)}` : number(value);
}
