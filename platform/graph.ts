import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import type { RequestContext } from './context.ts'

/**
 * The federated graph as its users inside the platform see it: the REST adapter and every subgraph's `ctx.graph`.
 * Whether the subgraphs run in this process or behind HTTP can't be told from here.
 */
export interface Graph {
  /**
   * Runs a query or a mutation. Errors of any field reject with the first one as an `AppError`.
   * @throws AppError
   */
  execute<Result, Variables>(
    operation: TypedDocumentNode<Result, Variables>,
    variables: Variables,
    context: RequestContext,
  ): Promise<Result>

  /**
   * Opens a subscription. What fails before the source stream exists rejects the promise; what fails later rejects `next()`.
   * Abort `context.signal` to cancel: `return()` alone may wait for the provider.
   * @throws AppError
   */
  subscribe<Result, Variables>(
    operation: TypedDocumentNode<Result, Variables>,
    variables: Variables,
    context: RequestContext,
  ): Promise<AsyncIterableIterator<Result>>
}
