import { Link, Outlet, ScrollRestoration } from "react-router";

import { Freshness } from "./Freshness";
import { SearchBox } from "./SearchBox";
import { useLive } from "./useLive";

/** The frame of every page: skip link, header with the search, the page itself, and where it all comes from. */
export function Layout() {
  useLive();
  return (
    <>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <header className="top">
        <div className="width">
          <Link className="brand" to="/">
            <Mark />
            Grid compare
          </Link>
          <SearchBox />
        </div>
      </header>
      <main id="main" className="width" tabIndex={-1}>
        <Outlet />
      </main>
      <footer className="bottom">
        <div className="width">
          <Freshness />
          <p>
            Data of <a href="https://djangopackages.org/">Django Packages</a>, asked for at{" "}
            <a href="/graphql">/graphql</a>.
          </p>
        </div>
      </footer>
      <ScrollRestoration />
    </>
  );
}

function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M8 24v-6M13.3 24V13M18.7 24v-6.5M24 24V8" />
    </svg>
  );
}
