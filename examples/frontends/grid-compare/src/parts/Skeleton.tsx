/** Grey shapes where something is about to be. Screen readers are told by the status of the page. */
export function Skeleton({ lines, shape }: { lines: number; shape: "cards" | "rows" }) {
  return (
    <div className={`skeleton ${shape}`} aria-hidden="true">
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} />
      ))}
    </div>
  );
}
