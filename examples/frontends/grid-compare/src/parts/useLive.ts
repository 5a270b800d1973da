import { useSubscription } from "@apollo/client/react";

import { graphql } from "../gql";

const CHANGED = graphql(`
  subscription Changed {
    catalogChanged {
      cursor
      node {
        id
        ... on Package {
          ...PackageRow
        }
        ... on Grid {
          title
          description
          packageCount
        }
      }
    }
  }
`);

/** What the gateway finds changed changes on the page: the cache knows records by their ids. */
export function useLive(): void {
  useSubscription(CHANGED);
}
