import { readFileSync } from 'node:fs'
import type { GraphQLSchema } from 'graphql'
import type { z } from 'zod'
import type { ConfigSlice, PlatformConfig } from './config.ts'
import type { RequestContext } from './context.ts'
import type { Persistence, SubgraphDatabase } from './db.ts'
import type { Graph } from './graph.ts'
import type { GuardedFetch } from './guarded-fetch/index.ts'
import type { Logger } from './log.ts'
import type { Metrics } from './metrics/metrics.ts'
import type { Notifications } from './notifications.ts'
import type { ObjectStore } from './object-store/index.ts'
import { scalarResolvers } from './scalars.ts'
import type { SecretBox } from './secret-box.ts'
import { subgraphSchema } from './subgraph-schema.ts'
import type { Tracing } from './tracing/tracing.ts'

/** What the wiring hands a subgraph when it starts. */
export interface SubgraphServices<Settings = unknown> {
  readonly database: SubgraphDatabase
  readonly notifications: Notifications
  readonly secrets: SecretBox
  /** The bytes behind the graph, shared by all of the platform. */
  readonly objects: ObjectStore
  /** The way to every URL that a user supplied. */
  readonly outbound: GuardedFetch
  readonly log: Logger
  readonly metrics: Metrics
  readonly tracing: Tracing
  readonly platform: PlatformConfig
  /** The public base URL: issuer of tokens, base of links. */
  readonly publicUrl: string
  readonly settings: Settings
  /** Runs work that no request waits for (a sweeper, a sync) as the platform itself. */
  readonly background: BackgroundScope
}

/** How background work reaches the graph. */
export interface BackgroundScope {
  /** A context without a client: acts as the platform, aborts when the process stops. */
  context(): RequestContext
  readonly graph: Graph
}

/** The part of a subgraph that lives as long as the process. */
export interface SubgraphInstance<Context extends SubgraphContext> {
  /** The scope of one request: services that act for its actor, loaders that batch for it. */
  createContext(request: RequestContext): Context
  /** Called once the whole graph answers: the time for syncs, sweepers and printed notices. */
  ready?(): Promise<void>
  /** What a person who starts the platform must be told once, such as a key that was made. Asked for after `ready`. */
  notices?(): readonly string[]
  /**
   * Removes everything that is a user's, whose account was deleted. May be called again for the same user, also when an earlier
   * call was cut off. A subgraph that keeps nothing of users leaves it out.
   */
  erase?(userId: string): Promise<void>
  /** Stops timers and connections of its own. The database is closed by the wiring. */
  stop?(): Promise<void>
}

/** What every subgraph's own context has. */
export interface SubgraphContext {
  readonly request: RequestContext
  /** Forgets what loaders have read. Called after every mutation field. */
  clearLoaders(): void
}

/** One subgraph in one value: its SDL, its resolvers, its tables and how it starts. */
export interface SubgraphDefinition<
  Slice extends ConfigSlice = ConfigSlice,
  Context extends SubgraphContext = SubgraphContext,
> {
  readonly name: string
  /** `import.meta.url` of the subgraph's index: its `schema.generated.graphql` lies beside it. */
  readonly home: string
  readonly resolvers: object
  readonly persistence: Omit<Persistence, 'name'>
  readonly config: Slice
  start(
    services: SubgraphServices<z.output<Slice>>,
  ): SubgraphInstance<Context> | Promise<SubgraphInstance<Context>>
}

/** A definition whose own types are sealed in, so that the registry can hold all of them in one list. */
export interface Subgraph {
  readonly name: string
  readonly persistence: Persistence
  readonly config: ConfigSlice
  schema(): GraphQLSchema
  start(services: SubgraphServices): Promise<SubgraphInstance<SubgraphContext>>
}

/** Declares a subgraph. Nothing is read or opened before `schema()` and `start()`. */
export function defineSubgraph<Slice extends ConfigSlice, Context extends SubgraphContext>(
  definition: SubgraphDefinition<Slice, Context>,
): Subgraph {
  const { name, home, persistence, config } = definition
  return {
    name,
    persistence: { name, ...persistence },
    config,
    schema() {
      const sdl = readFileSync(new URL('./schema.generated.graphql', home), 'utf8')
      return subgraphSchema(sdl, { ...scalarResolvers, ...forgetAfterMutations(definition.resolvers) })
    },
    async start(services) {
      return definition.start(services as SubgraphServices<z.output<Slice>>)
    },
  }
}

type Resolver = (parent: unknown, args: unknown, context: SubgraphContext, info: unknown) => unknown

/** Mutation fields run one after another: what loaders read for the first must not answer for the second. */
function forgetAfterMutations(resolvers: object): object {
  const mutations = (resolvers as { Mutation?: Record<string, Resolver> }).Mutation
  if (!mutations) return resolvers
  const forgetting = Object.entries(mutations).map(([field, resolve]): [string, Resolver] => [
    field,
    async (parent, args, context, info) => {
      try {
        return await resolve(parent, args, context, info)
      } finally {
        context.clearLoaders()
      }
    },
  ])
  return { ...resolvers, Mutation: Object.fromEntries(forgetting) }
}
