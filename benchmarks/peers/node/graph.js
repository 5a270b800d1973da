// What the three Node gateways share: the schema, the names of the fields in REST, and how REST is asked.
import { Pool } from 'undici'

export const UPSTREAM = process.env.UPSTREAM // the root of the v4 API, without a slash at its end
export const PORT = Number(process.env.PORT)
export const CACHE = process.env.CACHE === 'on'
export const CACHE_SECONDS = 600

export const typeDefs = /* GraphQL */ `
  type Query {
    package(id: Int!): Package
    packages(limit: Int!, offset: Int!): [Package!]!
  }
  type Package {
    id: Int!
    title: String!
    slug: String!
    lastUpdated: String
    lastFetched: String
    repoUrl: String
    pypiVersion: String
    created: String
    modified: String
    repoForks: Int
    repoDescription: String
    pypiUrl: String
    documentationUrl: String
    repoWatchers: Int
    commitsOver52: [Int]
    participants: [String!]
    category: Category!
    grids: [Grid!]!
  }
  type Grid {
    id: Int!
    title: String!
    slug: String!
    description: String
    isLocked: Boolean
    header: Boolean
    created: String
    modified: String
    packages: [Package!]!
  }
  type Category {
    id: Int!
    title: String!
    slug: String!
    description: String
    titlePlural: String
    showPypi: Boolean
    created: String
    modified: String
  }
`

const renamed = names => Object.fromEntries(Object.entries(names).map(([field, key]) => [field, record => record[key]]))

export const packageFields = renamed({
  lastUpdated: 'last_updated',
  lastFetched: 'last_fetched',
  repoUrl: 'repo_url',
  pypiVersion: 'pypi_version',
  repoForks: 'repo_forks',
  repoDescription: 'repo_description',
  pypiUrl: 'pypi_url',
  documentationUrl: 'documentation_url',
  repoWatchers: 'repo_watchers',
  commitsOver52: 'commits_over_52'
})
export const gridFields = renamed({ isLocked: 'is_locked' })
export const categoryFields = renamed({ titlePlural: 'title_plural', showPypi: 'show_pypi' })

/** The path of a record, from its link: hosts and schemes in links are upstream's affair. */
export const pathOf = link => link.slice(link.indexOf('/api/v4/') + '/api/v4'.length)

const { origin, pathname } = new URL(UPSTREAM)
const pool = new Pool(origin, { connections: 128 })

/** The JSON at a path of the v4 API; null if there is nothing. */
export async function read (path) {
  const { statusCode, body } = await pool.request({ path: pathname + path, method: 'GET' })
  if (statusCode === 200) return body.json()
  await body.dump()
  if (statusCode === 404) return null
  throw new Error(`upstream answered ${statusCode}`)
}
