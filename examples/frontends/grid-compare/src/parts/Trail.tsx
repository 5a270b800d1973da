import { Link } from "react-router";

/** The way back to all grids. */
export function Trail({ here }: { here: string }) {
  return (
    <nav aria-label="Breadcrumb" className="trail">
      <ol>
        <li>
          <Link to="/">All grids</Link>
        </li>
        <li aria-current="page">{here}</li>
      </ol>
    </nav>
  );
}
