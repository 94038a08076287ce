import { GraphQLError } from 'graphql'

/** The `error.type` values that clients see (contract 8.2). */
export type ErrorType =
  | 'invalid_request_error'
  | 'auth_error'
  | 'permission_error'
  | 'not_found_error'
  | 'timeout_error'
  | 'conflict_error'
  | 'execution_error'
  | 'rate_limit_error'
  | 'internal_error'
  | 'not_implemented_error'
  | 'upstream_error'

interface ErrorKind {
  readonly status: number
  readonly type: ErrorType
}

const invalid = { status: 400, type: 'invalid_request_error' } as const
const unauthorized = { status: 401, type: 'auth_error' } as const
const forbidden = { status: 403, type: 'permission_error' } as const
const missing = { status: 404, type: 'not_found_error' } as const
const conflict = { status: 409, type: 'conflict_error' } as const

/** Every code that the platform can answer with, with its HTTP status and type (contract 8.2). */
const kinds = {
  invalid_parameter: invalid,
  missing_parameter: invalid,
  invalid_json: invalid,
  invalid_id: invalid,
  invalid_cursor: invalid,
  invalid_media_reference: invalid,
  input_too_large: invalid,
  api_key_limit_reached: invalid,
  max_items_exceeded: invalid,
  conversation_full: invalid,
  deep_research_unsupported: invalid,
  missing_credentials: unauthorized,
  invalid_token: unauthorized,
  token_expired: unauthorized,
  token_revoked: unauthorized,
  invalid_api_key: unauthorized,
  conflicting_credentials: unauthorized,
  admin_required: forbidden,
  feature_disabled: forbidden,
  feature_flag_required: forbidden,
  permission_denied: forbidden,
  not_found: missing,
  model_not_found: missing,
  conversation_not_found: missing,
  item_not_found: missing,
  project_not_found: missing,
  user_not_found: missing,
  media_not_found: missing,
  response_not_found: missing,
  memory_not_found: missing,
  route_not_found: missing,
  method_not_allowed: { status: 405, type: 'invalid_request_error' },
  not_acceptable: { status: 406, type: 'invalid_request_error' },
  tool_timeout: { status: 408, type: 'timeout_error' },
  request_timeout: { status: 408, type: 'timeout_error' },
  already_exists: conflict,
  idempotency_conflict: conflict,
  request_in_progress: conflict,
  share_revoked: { status: 410, type: 'not_found_error' },
  share_expired: { status: 410, type: 'not_found_error' },
  max_size_exceeded: { status: 413, type: 'invalid_request_error' },
  payload_too_large: { status: 413, type: 'invalid_request_error' },
  unsupported_media_type: { status: 415, type: 'invalid_request_error' },
  range_not_satisfiable: { status: 416, type: 'invalid_request_error' },
  expectation_failed: { status: 417, type: 'invalid_request_error' },
  max_depth_exceeded: { status: 422, type: 'execution_error' },
  execution_failed: { status: 422, type: 'execution_error' },
  quota_exceeded: { status: 429, type: 'rate_limit_error' },
  rate_limited: { status: 429, type: 'rate_limit_error' },
  provider_rate_limited: { status: 429, type: 'rate_limit_error' },
  headers_too_large: { status: 431, type: 'invalid_request_error' },
  client_closed_request: { status: 499, type: 'timeout_error' },
  internal: { status: 500, type: 'internal_error' },
  not_implemented: { status: 501, type: 'not_implemented_error' },
  media_storage_failed: { status: 502, type: 'upstream_error' },
  provider_error: { status: 502, type: 'upstream_error' },
  media_storage_not_configured: { status: 503, type: 'upstream_error' },
  service_unavailable: { status: 503, type: 'upstream_error' },
  upstream_timeout: { status: 504, type: 'upstream_error' },
} as const satisfies Record<string, ErrorKind>

/** A stable machine-readable reason: `extensions.code` in GraphQL, `error.code` in REST. */
export type ErrorCode = keyof typeof kinds

/** What a client may be told of a failure beside its code and message. */
export interface ErrorDetails {
  /** The wire name of the offending field or query parameter, as `messages[0].role`. */
  readonly param?: string | null
  /** Seconds after which a retry makes sense; becomes `Retry-After`. */
  readonly retryAfter?: number
  /** What has been used up; goes with 429. */
  readonly quota?: Quota
  /** The inner failure, for the log only. */
  readonly cause?: unknown
}

/** A limit that has been reached (contract 8.2). */
export interface Quota {
  readonly limit: number
  readonly remaining: number
  /** Unix seconds of when all of it is there again. */
  readonly resetAt: number
}

/** A failure that a client may see. Everything else that is thrown is masked as `internal`. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly param: string | null
  readonly retryAfter: number | undefined
  readonly quota: Quota | undefined

  constructor(
    code: ErrorCode,
    message: string,
    { param = null, retryAfter, quota, cause }: ErrorDetails = {},
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'AppError'
    this.code = code
    this.param = param
    this.retryAfter = retryAfter
    this.quota = quota
  }

  get status(): number {
    return kinds[this.code].status
  }

  get type(): ErrorType {
    return kinds[this.code].type
  }

  /** What travels as `extensions` of a GraphQL error, through the federation and to clients. */
  get extensions(): Record<string, unknown> {
    return {
      code: this.code,
      type: this.type,
      param: this.param,
      ...(this.retryAfter === undefined ? {} : { retryAfter: this.retryAfter }),
    }
  }
}

/** Whether `value` is one of the platform's own codes. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(kinds, value)
}

/** Every code with its HTTP status and type: what a description of the API tells of failures. */
export const errorCatalogue: readonly (ErrorKind & { readonly code: ErrorCode })[] = Object.entries(
  kinds,
).map(([code, kind]) => ({ code: code as ErrorCode, ...kind }))

/** The HTTP status of a code; 400 for what is none of ours: graphql-js and Apollo give theirs to faults of the request. */
export function statusOf(code: unknown): number {
  return isErrorCode(code) ? kinds[code].status : 400
}

/** The one sentence that clients see in place of a failure of ours. */
const maskedMessage = 'Something went wrong on our side. Give the request id when you report it.'

/** Codes that graphql-js and Apollo give to faults of the request itself: safe to show, always a client error. */
const requestFaults = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_USER_INPUT',
  'BAD_REQUEST',
  'OPERATION_RESOLUTION_FAILURE',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_NOT_SUPPORTED',
])

/**
 * The failure behind anything that was thrown: an `AppError` as it is, one that travelled through GraphQL rebuilt from
 * its extensions, a client that left as `client_closed_request`, everything else `internal` with its text hidden.
 */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown
  if (thrown instanceof GraphQLError) return fromGraphQLError(thrown)
  if (thrown instanceof Error && thrown.name === 'AbortError') {
    return new AppError('client_closed_request', 'The client left before the answer was ready.', {
      cause: thrown,
    })
  }
  return new AppError('internal', maskedMessage, { cause: thrown })
}

function fromGraphQLError(error: GraphQLError): AppError {
  if (error.originalError && !(error.originalError instanceof GraphQLError))
    return toAppError(error.originalError)
  const { code, param, retryAfter } = error.extensions
  if (isErrorCode(code)) {
    return new AppError(code, code === 'internal' ? maskedMessage : error.message, {
      param: typeof param === 'string' ? param : null,
      ...(typeof retryAfter === 'number' ? { retryAfter } : {}),
      cause: error,
    })
  }
  if (requestFaults.has(String(code)))
    return new AppError('invalid_parameter', error.message, { cause: error })
  return new AppError('internal', maskedMessage, { cause: error })
}

/** A GraphQL error that carries the failure's code, type and param, and nothing of an unexpected one's text. */
export function toGraphQLError(
  thrown: unknown,
  at: Pick<GraphQLError, 'nodes' | 'path'> = { nodes: undefined, path: undefined },
): GraphQLError {
  const failure = toAppError(thrown)
  return new GraphQLError(failure.message, {
    nodes: at.nodes ?? null,
    path: at.path ?? null,
    extensions: failure.extensions,
    originalError: failure,
  })
}
