// GraphQL Yoga with its JIT plugin and DataLoader; with CACHE=on its plugin that keeps whole answers.
import { createServer } from 'node:http'
import { useGraphQlJit } from '@envelop/graphql-jit'
import { useResponseCache } from '@graphql-yoga/plugin-response-cache'
import DataLoader from 'dataloader'
import { createSchema, createYoga } from 'graphql-yoga'
import { CACHE, CACHE_SECONDS, PORT, categoryFields, gridFields, packageFields, pathOf, read, typeDefs } from './graph.js'

const resolvers = {
  Query: {
    package: (_, { id }, { records }) => records.load(`/packages/${id}/`),
    packages: async (_, { limit, offset }) => (await read(`/packages/?limit=${limit}&offset=${offset}`)).results
  },
  Package: {
    ...packageFields,
    category: (record, _, { records }) => records.load(pathOf(record.category)),
    grids: (record, _, { records }) => records.loadMany(record.grids.map(pathOf))
  },
  Grid: { ...gridFields, packages: (record, _, { records }) => records.loadMany(record.packages.map(pathOf)) },
  Category: categoryFields
}

const caching = useResponseCache({ session: () => null, ttl: CACHE_SECONDS * 1000 })
const yoga = createYoga({
  schema: createSchema({ typeDefs, resolvers }),
  context: () => ({ records: new DataLoader(paths => Promise.all(paths.map(read))) }),
  plugins: [useGraphQlJit(), ...(CACHE ? [caching] : [])],
  logging: false,
  graphiql: false,
  landingPage: false
})
createServer(yoga).listen(PORT, '127.0.0.1')
