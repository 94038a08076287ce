import type { GraphQLSchema } from 'graphql'
import type { RequestContext } from '../platform/context.ts'
import { AppError } from '../platform/errors.ts'
import type { Graph } from '../platform/graph.ts'
import { newId } from '../platform/ids.ts'
import type { BackgroundScope, Subgraph, SubgraphContext, SubgraphInstance } from '../platform/subgraph.ts'
import { erasures } from './erasures.ts'
import type { SharedServices } from './services.ts'
import type { Settings } from './settings.ts'

/** A subgraph that runs in this process. */
export interface HostedSubgraph {
  readonly name: string
  readonly schema: GraphQLSchema
  readonly instance: SubgraphInstance<SubgraphContext>
}

/** The subgraphs of this process, and the door through which they reach the graph once it is joined. */
export interface SubgraphHost {
  readonly hosted: readonly HostedSubgraph[]
  /** Gives background work its graph. Called once, after the gateway is made. */
  join(graph: Graph): void
  ready(): Promise<void>
  /** What a person who starts the platform must be told. */
  notices(): readonly string[]
  stop(): Promise<void>
}

/** Attaches, migrates and starts `subgraphs`. */
export async function hostSubgraphs(
  subgraphs: readonly Subgraph[],
  services: SharedServices,
  settings: Settings,
): Promise<SubgraphHost> {
  const stopping = new AbortController()
  const { graph, join } = lateGraph()
  const background = backgroundScope(graph, services, stopping.signal)
  const attached = await Promise.all(
    subgraphs.map(async (subgraph) => ({
      subgraph,
      database: await services.database.attach(subgraph.persistence),
    })),
  )
  if (settings.platform.AUTO_MIGRATE) await services.database.migrate()
  const hosted = await Promise.all(
    attached.map(async ({ subgraph, database }): Promise<HostedSubgraph> => {
      const instance = await subgraph.start({
        database,
        notifications: services.notifications,
        secrets: services.secrets,
        objects: services.objects,
        outbound: services.outbound,
        log: services.log.child({ subgraph: subgraph.name }),
        metrics: services.metrics,
        tracing: services.tracing,
        platform: settings.platform,
        publicUrl: settings.publicUrl,
        settings: settings.subgraphs[subgraph.name],
        background,
      })
      return { name: subgraph.name, schema: subgraph.schema(), instance }
    }),
  )
  const erasing = erasures({
    hosted,
    background,
    notifications: services.notifications,
    log: services.log,
  })
  return {
    hosted,
    join,
    async ready() {
      await Promise.all(hosted.map(({ instance }) => instance.ready?.()))
      erasing.start()
    },
    notices: () => hosted.flatMap(({ instance }) => instance.notices?.() ?? []),
    async stop() {
      stopping.abort()
      await erasing.stop()
      await Promise.all(hosted.map(({ instance }) => instance.stop?.()))
    },
  }
}

function backgroundScope(graph: Graph, { log }: SharedServices, signal: AbortSignal): BackgroundScope {
  return {
    graph,
    context(): RequestContext {
      return {
        actor: null,
        requestId: newId('request'),
        signal,
        log,
        graph,
        client: { ip: null, userAgent: null },
      }
    },
  }
}

/** A graph that exists before its gateway does: subgraphs start first, and use it only once they are joined. */
function lateGraph(): { graph: Graph; join(graph: Graph): void } {
  let joined: Graph | undefined
  const current = () => {
    if (!joined) throw new AppError('service_unavailable', 'The graph is still starting.')
    return joined
  }
  return {
    graph: {
      execute: (operation, variables, context) => current().execute(operation, variables, context),
      subscribe: (operation, variables, context) => current().subscribe(operation, variables, context),
    },
    join(graph) {
      joined = graph
    },
  }
}
