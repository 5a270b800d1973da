import { useState } from "react";

import { number } from "./numbers";

interface MoreProps {
  /** What the list has, like "packages". */
  things: string;
  shown: number;
  total: number | null | undefined;
  hasMore: boolean;
  /** Fetches the next part. */
  load: () => Promise<{ error?: unknown }>;
}

/** The end of a part of a list: how much of it is there, and a button for the next part. */
export function More({ things, shown, total, hasMore, load }: MoreProps) {
  const [state, setState] = useState<"idle" | "loading" | "failed">("idle");

  async function next() {
    setState("loading");
    try {
      const { error } = await load();
      setState(error ? "failed" : "idle");
    } catch {
      setState("failed");
    }
  }

  return (
    <div className="more">
      <p role="status">
        {state === "failed"
          ? `More ${things} could not be loaded.`
          : `${number(shown)}${total == null ? "" : ` of ${number(total)}`} ${things}`}
      </p>
      {hasMore && (
        <button type="button" onClick={() => void next()} disabled={state === "loading"}>
          {state === "loading" ? "Loading…" : `Show more ${things}`}
        </button>
      )}
    </div>
  );
}
