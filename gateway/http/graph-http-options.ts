import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express'
import type { RequestContext } from '../../platform/context.ts'
import type { Logger } from '../../platform/log.ts'
import type { FederatedGraph } from '../index.ts'
import type { OperationParser } from './operation-parser.ts'
import type { PersistedOperations } from './persisted-operations.ts'

/** Opens the context of one HTTP request; rejects with an `AppError` on a bad credential. */
export type OpenContext = (request: Request, response: Response) => Promise<RequestContext>

/** Whether the credential that a request came with still lets its sender in. Does not reject. */
export type StillHolds = (request: Request, context: RequestContext) => Promise<boolean>

/**
 * Takes what a client's mutation or subscription starts off what the client may: its root fields, each as often as it
 * stands there. @throws AppError
 */
export type Charge = (fields: readonly string[], context: RequestContext) => Promise<void>

/** How the graph is served over HTTP. */
export interface GraphHttpOptions {
  readonly graph: FederatedGraph
  readonly openContext: OpenContext
  readonly stillHolds: StillHolds
  readonly maxBodyBytes: number
  /** Apollo Sandbox, GraphiQL and introspection. */
  readonly explore: boolean
  /** Operations that are registered; none where clients send only texts. */
  readonly persisted?: PersistedOperations | null
  /** None where nothing is limited. */
  readonly charge?: Charge | null
  /** Aborts when the server is about to stop: subscriptions without an end of their own end then. */
  readonly draining: AbortSignal
  readonly log: Logger
}

/** What the streaming handlers share. */
export interface StreamingOptions {
  readonly graph: FederatedGraph
  readonly openContext: OpenContext
  readonly stillHolds: StillHolds
  readonly parser: OperationParser
  readonly draining: AbortSignal
}

/** Apollo Server's part of it. */
export type ApolloHandler = Pick<GraphHttp, 'handler' | 'stop'>

/** The graph's HTTP face. */
export interface GraphHttp {
  /**
   * To be mounted at `/graphql`: GraphQL over HTTP, multipart subscriptions and Apollo Sandbox there, graphql-sse there
   * and on `/stream`, GraphiQL on `/graphiql`.
   */
  readonly handler: RequestHandler
  /** Tells failures of what stands before the handler as GraphQL tells its own. */
  readonly errors: ErrorRequestHandler
  stop(): Promise<void>
}
