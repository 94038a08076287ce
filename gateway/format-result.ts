import { type ExecutionResult, GraphQLError, type GraphQLFormattedError } from 'graphql'

/** What an error may carry to a client; service names and stack traces of the federation's own making are dropped. */
const publicExtensions = ['code', 'type', 'param', 'retryAfter'] as const

/** A result whose errors have the same form whichever way the operation ran: straight on a subgraph or through a plan. */
export function formatResult(result: ExecutionResult): ExecutionResult {
  const { data, errors } = result
  if (!errors || errors.length === 0) return { data: data ?? null }
  return { data: data ?? null, errors: errors.map(formatError) }
}

function formatError(error: GraphQLError | GraphQLFormattedError): GraphQLError {
  const given: Record<string, unknown> = error.extensions ?? {}
  const extensions = Object.fromEntries(
    publicExtensions.filter((key) => given[key] !== undefined).map((key) => [key, given[key]]),
  )
  return new GraphQLError(error.message, {
    path: error.path ?? null,
    extensions,
    originalError: (error instanceof GraphQLError ? error.originalError : undefined) ?? null,
  })
}
