import { Link } from "react-router";

import { Page } from "../parts/Page";

/** For an address that names no page, or no record: `thing` says which. */
export function NotFoundPage({ thing = "page" }: { thing?: string }) {
  return (
    <Page title={`No such ${thing}`} status="">
      <p className="lead">
        There is no {thing} at this address. Look it up by the search above, or start from{" "}
        <Link to="/">all grids</Link>.
      </p>
    </Page>
  );
}
