import { GraphQLError, type GraphQLFormattedError } from 'graphql'
import { toAppError } from '../../platform/errors.ts'
import type { Logger } from '../../platform/log.ts'

/** Faults of the request keep Apollo's codes; failures of fields were masked where they happened; the rest is masked here. */
export function presentError(
  formatted: GraphQLFormattedError,
  error: unknown,
  log: Logger,
): GraphQLFormattedError {
  const code = formatted.extensions?.code
  if (code !== undefined && code !== 'INTERNAL_SERVER_ERROR') {
    const { stacktrace: _, http: __, ...extensions } = formatted.extensions ?? {}
    return { ...formatted, extensions }
  }
  if (isRequestFault(error)) return { message: formatted.message, extensions: { code: 'BAD_REQUEST' } }
  const failure = toAppError(error)
  if (failure.code === 'internal') log.error({ err: failure.cause ?? failure }, 'a GraphQL request failed')
  return {
    message: failure.message,
    ...(formatted.path ? { path: formatted.path } : {}),
    extensions: failure.extensions,
  }
}

/** Apollo gives some of its refusals, as of a persisted query, only a status. */
function isRequestFault(error: unknown): boolean {
  const http = error instanceof GraphQLError ? error.extensions.http : undefined
  return typeof http === 'object' && http !== null && 'status' in http && http.status === 400
}
