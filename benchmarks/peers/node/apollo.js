// Apollo Server with its own REST data source and DataLoader; with CACHE=on its plugin that keeps whole answers.
import { ApolloServer } from '@apollo/server'
import { ApolloServerPluginCacheControl } from '@apollo/server/plugin/cacheControl'
import { startStandaloneServer } from '@apollo/server/standalone'
import responseCache from '@apollo/server-plugin-response-cache'
import { RESTDataSource } from '@apollo/datasource-rest'
import DataLoader from 'dataloader'
import { CACHE, CACHE_SECONDS, PORT, UPSTREAM, categoryFields, gridFields, packageFields, pathOf, typeDefs } from './graph.js'

class DjangoPackages extends RESTDataSource {
  baseURL = UPSTREAM + '/'
  records = new DataLoader(paths => Promise.all(paths.map(path => this.record(path))))

  async record (path) {
    try {
      return await this.get(path.slice(1))
    } catch (error) {
      if (error.extensions?.response?.status === 404) return null
      throw error
    }
  }

  async packages (limit, offset) {
    return (await this.get('packages/', { params: { limit: String(limit), offset: String(offset) } })).results
  }
}

const resolvers = {
  Query: {
    package: (_, { id }, { api }) => api.records.load(`/packages/${id}/`),
    packages: (_, { limit, offset }, { api }) => api.packages(limit, offset)
  },
  Package: {
    ...packageFields,
    category: (record, _, { api }) => api.records.load(pathOf(record.category)),
    grids: (record, _, { api }) => api.records.loadMany(record.grids.map(pathOf))
  },
  Grid: { ...gridFields, packages: (record, _, { api }) => api.records.loadMany(record.packages.map(pathOf)) },
  Category: categoryFields
}

const caching = [ApolloServerPluginCacheControl({ defaultMaxAge: CACHE_SECONDS }), (responseCache.default ?? responseCache)()]
const server = new ApolloServer({ typeDefs, resolvers, plugins: CACHE ? caching : [] })
await startStandaloneServer(server, {
  listen: { host: '127.0.0.1', port: PORT },
  context: async () => ({ api: new DjangoPackages({ cache: server.cache }) })
})
