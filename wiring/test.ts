import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'graphql'
import type { FederatedGraph } from '../gateway/index.ts'
import type { Actor } from '../platform/actor.ts'
import type { RequestContext } from '../platform/context.ts'
import { newId } from '../platform/ids.ts'
import { createLogger } from '../platform/log.ts'
import { createTestDatabase } from '../platform/testing/test-database.ts'
import { subgraphs } from '../subgraphs/index.ts'
import { startLocalGraph } from './local-graph.ts'
import { openSharedServices, type SharedServices } from './services.ts'
import { loadSettings } from './settings.ts'
import { createStopStack } from './stop-stack.ts'

/** The whole graph in this process, on an empty database and media folder of its own: what integration tests talk to. */
export interface TestGraph {
  readonly graph: FederatedGraph
  readonly services: SharedServices
  /** The SQL of every statement since the last call of `takeStatements`, without those of background work. */
  takeStatements(): string[]
  /** A context that acts for `actor`; a fresh ordinary user unless one is given. */
  contextFor(actor?: Actor | null, signal?: AbortSignal): RequestContext
  /** The data of a client's operation that acts for `actor`. @throws where any of it failed */
  run<Data>(actor: Actor, text: string, variables?: Record<string, unknown>): Promise<Data>
  stop(): Promise<void>
}

/** What sweepers and the indexer of search send, at moments of their own. */
const background = /\bwith expired\b|\bsearch_(pending|backfill|entry)\b/

/** A signed-in ordinary user whom nobody has seen before. */
export function someActor(changes: Partial<Actor> = {}): Actor {
  const id = randomUUID()
  return {
    id,
    subject: id,
    method: 'jwt',
    roles: ['user'],
    scopes: [],
    username: `user-${id.slice(0, 8)}`,
    email: null,
    featureFlags: [],
    isGuest: false,
    isAdmin: false,
    ...changes,
  }
}

/** @param environment variables on top of quiet defaults (no discovery of local runtimes) */
export async function startTestGraph(environment: Record<string, string> = {}): Promise<TestGraph> {
  const database = await createTestDatabase()
  const folder = await mkdtemp(join(tmpdir(), 'jan-media-'))
  const quiet = { ENVIRONMENT: 'test', LOG_LEVEL: 'silent', MODEL_DISCOVERY: 'false' }
  const settings = loadSettings({ ...quiet, MEDIA_LOCAL_STORAGE_PATH: folder, ...environment }, subgraphs)
  let statements: string[] = []
  const stack = createStopStack()
  const own = {
    settings,
    databaseUrl: database.url,
    rootSecret: 'a root secret for tests only',
    log: createLogger({ level: settings.platform.LOG_LEVEL, format: 'json' }),
    onStatement(sql: string) {
      if (!background.test(sql)) statements.push(sql)
    },
  }
  const services = await openSharedServices(own, stack)
  const close = async () => {
    await stack.stop()
    await database.drop()
    await rm(folder, { recursive: true, force: true })
  }
  const local = await startLocalGraph(subgraphs, services, settings).catch(async (error: unknown) => {
    await close()
    throw error
  })
  await local.ready()
  const contextFor: TestGraph['contextFor'] = (
    actor = someActor(),
    signal = new AbortController().signal,
  ) => ({
    actor,
    requestId: newId('request'),
    signal,
    log: services.log,
    graph: local.graph.trusted,
    client: { ip: '127.0.0.1', userAgent: 'jest' },
  })
  return {
    graph: local.graph,
    services,
    takeStatements() {
      const taken = statements
      statements = []
      return taken
    },
    contextFor,
    async run<Data>(actor: Actor, text: string, variables: Record<string, unknown> = {}) {
      const operation = { document: parse(text), variables, context: contextFor(actor) }
      const { data, errors } = await local.graph.clients.execute(operation)
      if (errors) throw new AggregateError(errors, `The operation failed: ${JSON.stringify(errors)}`)
      return data as Data
    },
    async stop() {
      await local.stop()
      await close()
    },
  }
}
