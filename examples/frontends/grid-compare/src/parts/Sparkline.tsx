interface SparklineProps {
  /** The commits of each week, oldest first. */
  weekly: readonly number[];
  /** What the picture says, for those who do not see it. */
  label: string;
}

/** Units of the drawing; its size on the page is CSS's. */
const STEP = 3;
const HEIGHT = 32;
const STROKE = 2;

/** A small area chart of the commits, as high as its own busiest week. */
export function Sparkline({ weekly, label }: SparklineProps) {
  const width = (weekly.length - 1) * STEP;
  const most = Math.max(...weekly, 1);
  const points = weekly.map((commits, week) => {
    const height = (commits / most) * (HEIGHT - 2 * STROKE);
    return `${week * STEP},${(HEIGHT - STROKE - height).toFixed(1)}`;
  });
  const isFlat = weekly.every((commits) => commits === 0);
  return (
    <svg
      className={isFlat ? "sparkline flat" : "sparkline"}
      role="img"
      aria-label={label}
      viewBox={`0 0 ${width} ${HEIGHT}`}
      preserveAspectRatio="none"
    >
      {!isFlat && <polygon points={`0,${HEIGHT} ${points.join(" ")} ${width},${HEIGHT}`} />}
      <polyline points={points.join(" ")} vectorEffect="non-scaling-stroke" />
    </svg>
  );
}
