import { useEffect, useRef, useState } from "react";

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
  const amount = useRef<HTMLParagraphElement>(null);
  const wasUsed = useRef(false);

  // With the last part the button goes, and would take the focus with it.
  useEffect(() => {
    if (!hasMore && wasUsed.current) amount.current?.focus();
    wasUsed.current = false;
  }, [hasMore]);

  async function next() {
    if (state === "loading") return;
    setState("loading");
    wasUsed.current = true;
    try {
      const { error } = await load();
      setState(error ? "failed" : "idle");
    } catch {
      setState("failed");
    }
  }

  return (
    <div className="more">
      <p ref={amount} role="status" tabIndex={-1}>
        {state === "failed"
          ? `More ${things} could not be loaded.`
          : `${number(shown)}${total == null ? "" : ` of ${number(total)}`} ${things}`}
      </p>
      {hasMore && (
        <button type="button" onClick={() => void next()} aria-disabled={state === "loading"}>
          {state === "loading" ? "Loading…" : `Show more ${things}`}
        </button>
      )}
    </div>
  );
}
