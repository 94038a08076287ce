import type { Actor } from './actor.ts'
import type { Graph } from './graph.ts'
import type { Logger } from './log.ts'

/**
 * What every operation acts under, made once per request at the edge. Subgraphs derive their own scope from it
 * (`subgraph.ts`); nothing here belongs to one domain.
 */
export interface RequestContext {
  /** Who asks. `null` only on the public operations (guest login, token refresh). */
  readonly actor: Actor | null
  /** The `X-Request-Id` of the request: echoed, logged, sent on to subgraphs and providers. */
  readonly requestId: string
  /** The caller's trace context: sent on to subgraphs and providers as it came. */
  readonly traceparent?: string
  /** Aborts when the client leaves; every piece of I/O takes it. */
  readonly signal: AbortSignal
  readonly log: Logger
  /** The whole graph with its inaccessible operations, acting as `actor`. */
  readonly graph: Graph
  /** What the client told of itself: for sessions and audit rows. */
  readonly client: ClientTrace
  /** The internal token that speaks for `actor` between processes; absent in one process. */
  readonly internalToken?: string
}

/** Where a request came from. */
export interface ClientTrace {
  readonly ip: string | null
  readonly userAgent: string | null
}
