import type { ReactNode } from "react";

/** A link to an address that users of the site entered: only one of the web is followed. */
export function SafeLink({ to, children }: { to: string; children: ReactNode }) {
  if (!/^https?:\/\//i.test(to)) return <>{children}</>;
  return (
    <a href={to} rel="noreferrer nofollow ugc">
      {children}
    </a>
  );
}
