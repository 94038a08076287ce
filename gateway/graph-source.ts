import type { FetchNode } from '@apollo/query-planner'
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

/** The subgraph that a fetch is for. */
export function sourceOf(
  sources: Readonly<Record<string, GraphSource>>,
  { serviceName }: FetchNode,
): GraphSource {
  const source = sources[serviceName]
  if (!source) throw new Error(`the supergraph names a subgraph that is not wired: ${serviceName}`)
  return source
}

/** A fetch of a plan with those of the operation's variables that it uses. */
export function sourceRequest(
  { operationDocumentNode: document, operation, operationName, variableUsages = [], serviceName }: FetchNode,
  variables: Record<string, unknown>,
  context: RequestContext,
): SourceRequest {
  if (!document) throw new Error(`the plan's fetch from ${serviceName} carries no document`)
  return { document, text: operation, operationName, variables: pick(variables, variableUsages), context }
}

function pick(values: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  const picked: Record<string, unknown> = {}
  for (const name of names) if (values[name] !== undefined) picked[name] = values[name]
  return picked
}
