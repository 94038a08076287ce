import express from 'express'
import { createGraphHttp } from '../../gateway/http/index.ts'
import { createGraph, type GraphSource, localSource, remoteSource } from '../../gateway/index.ts'
import type { Actor } from '../../platform/actor.ts'
import { departureSignal } from '../../platform/departure.ts'
import { createInternalTokens } from '../../platform/internal-token.ts'
import { createLogger } from '../../platform/log.ts'
import { composed } from './running-subgraphs.ts'
import { type SubgraphName, schemaOf, subgraphNames } from './subgraphs.ts'

/**
 * Our gateway and its HTTP face over the bench's own two subgraphs, with nobody to sign in:
 * `node bench/graph/gateway-server.ts PORT [CONVERSATIONS_URL PROJECTS_URL]`. Without URLs the subgraphs run in here.
 */
const [port = '', ...urls] = process.argv.slice(2)
const log = createLogger({ level: 'warn', format: 'json' })
const tokens = createInternalTokens('a secret of the bench alone')

const actor: Actor = {
  id: 'bench',
  subject: 'bench',
  method: 'internal',
  roles: ['user'],
  scopes: [],
  username: null,
  email: null,
  featureFlags: [],
  isGuest: false,
  isAdmin: false,
}

function sourceOf(name: SubgraphName, at: number): GraphSource {
  const url = urls[at]
  if (url !== undefined) return remoteSource({ name, url, tokens })
  return localSource({
    schema: schemaOf(name),
    createContext: (request) => ({ request, clearLoaders: () => undefined }),
  })
}

const graph = createGraph({
  supergraphSdl: composed({ conversations: urls[0] ?? 'http://here', projects: urls[1] ?? 'http://here' }),
  sources: Object.fromEntries(subgraphNames.map((name, at) => [name, sourceOf(name, at)])),
})
const { handler } = createGraphHttp({
  draining: new AbortController().signal,
  graph,
  openContext: async (_request, response) => ({
    actor,
    requestId: 'req_bench',
    signal: departureSignal(response),
    log,
    graph: graph.trusted,
    client: { ip: null, userAgent: null },
  }),
  stillHolds: async () => true,
  maxBodyBytes: 1_000_000,
  explore: false,
  log,
})
const app = express()
app.disable('x-powered-by')
app.set('etag', false)
app.get('/', (_request, response) => void response.end())
app.use('/graphql', handler)
app.listen(Number(port), '127.0.0.1')
