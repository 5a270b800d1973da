import { type ReactNode, useEffect, useRef } from "react";
import { useLocation } from "react-router";

import { StaleNotice } from "./Freshness";

interface PageProps {
  /** The heading and, with the name of the app, the title of the tab. */
  title: string;
  /** What a screen reader is told when it changes: that something is loading, or what has come. */
  status: string;
  /** Above the heading: where in the app this is. */
  trail?: ReactNode;
  children: ReactNode;
}

/** Brings the focus to the heading when one page follows another, as a browser does for pages of a server. */
export function Page({ title, status, trail, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  const { pathname } = useLocation();

  useEffect(() => {
    document.title = `${title} · Grid compare`;
  }, [title]);

  // Only another path is another page: a new order of the same table leaves the focus where it is.
  useEffect(() => {
    // The first page is the browser's own affair, and whoever types in the search goes on typing.
    const isTyping = document.activeElement instanceof HTMLInputElement;
    if (shown !== undefined && !isTyping) heading.current?.focus({ preventScroll: true });
    shown = pathname;
  }, [pathname]);

  return (
    <>
      {trail}
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      <p className="unseen" role="status">
        {status}
      </p>
      <StaleNotice />
      {children}
    </>
  );
}

/** The path of the page that was shown last. */
let shown: string | undefined;
