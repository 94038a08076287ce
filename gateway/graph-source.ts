import type { DocumentNode, ExecutionResult } from 'graphql'
import type { RequestContext } from '../platform/context.ts'

/** One operation for one subgraph, as the query plan has it. */
export interface SourceRequest {
  readonly document: DocumentNode
  /** The same operation as text, for sources behind HTTP. */
  readonly text: string
  readonly operationName: string | undefined
  readonly variables: Record<string, unknown>
  readonly context: RequestContext
}

/**
 * Where a subgraph answers: in this process or behind HTTP. Errors in results are already masked: their `extensions`
 * carry `code`, `type` and `param` and nothing of an unexpected failure's text.
 */
export interface GraphSource {
  execute(request: SourceRequest): Promise<ExecutionResult>
  /** Failures before the stream exists are a result with errors; the iterator itself never rejects. */
  subscribe(request: SourceRequest): Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult>
  close?(): Promise<void>
}
