// Fastify with Mercurius, its JIT and its loaders; with CACHE=on a cache of records with a time to live, as one writes it.
import Fastify from 'fastify'
import { LRUCache } from 'lru-cache'
import mercurius from 'mercurius'
import { CACHE, CACHE_SECONDS, PORT, categoryFields, gridFields, packageFields, pathOf, read, typeDefs } from './graph.js'

const kept = new LRUCache({ max: 20_000, ttl: CACHE_SECONDS * 1000 })

function readKept (path) {
  let record = kept.get(path)
  if (!record) {
    record = read(path)
    record.catch(() => kept.delete(path))
    kept.set(path, record)
  }
  return record
}

/** The record at a path: each path is read once in a request. */
function load (context, path) {
  context.loaded ??= new Map()
  let record = context.loaded.get(path)
  if (!record) context.loaded.set(path, (record = CACHE ? readKept(path) : read(path)))
  return record
}

const loadAll = (context, links) => Promise.all(links.map(link => load(context, pathOf(link))))
// Mercurius's own cache of loads would take the whole parent as its key.
const loader = load => ({ loader: load, opts: { cache: false } })

const app = Fastify({ logger: false })
app.register(mercurius, {
  schema: typeDefs,
  jit: 1,
  resolvers: {
    Query: {
      package: (_, { id }, context) => load(context, `/packages/${id}/`),
      packages: async (_, { limit, offset }, context) =>
        (await load(context, `/packages/?limit=${limit}&offset=${offset}`)).results
    },
    Package: packageFields,
    Grid: gridFields,
    Category: categoryFields
  },
  loaders: {
    Package: {
      category: loader((queries, context) => loadAll(context, queries.map(({ obj }) => obj.category))),
      grids: loader((queries, context) => Promise.all(queries.map(({ obj }) => loadAll(context, obj.grids))))
    },
    Grid: {
      packages: loader((queries, context) => Promise.all(queries.map(({ obj }) => loadAll(context, obj.packages))))
    }
  }
})
await app.listen({ host: '127.0.0.1', port: PORT })
