import { Link, Outlet, ScrollRestoration } from "react-router";

import { DemoNotice, Freshness } from "./Freshness";
import { SearchBox } from "./SearchBox";
import { useLive } from "./useLive";

/**
 * The frame of every page, the same as on the gateway's own pages: skip link, header with the search, the page
 * itself, and where it all comes from. `index.html` has its header too, for as long as this loads.
 */
export function Layout() {
  useLive();
  return (
    <>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <header className="top">
        <div className="width">
          <a className="brand" href="/">
            <Mark />
            Django Packages, as a graph
          </a>
          <nav className="site" aria-label="Site">
            <ul>
              <li>
                <Link to="/" aria-current="page">
                  Compare grids
                </Link>
              </li>
              <li>
                <a href="/graphql">GraphiQL</a>
              </li>
              <li>
                <a href="/docs/">Docs</a>
              </li>
            </ul>
          </nav>
          <SearchBox />
        </div>
      </header>
      <DemoNotice />
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
      <path d="M9 22 16 9l7 13z" />
      <circle cx="16" cy="9" r="3.6" />
      <circle cx="9" cy="22" r="3.6" />
      <circle cx="23" cy="22" r="3.6" />
    </svg>
  );
}
