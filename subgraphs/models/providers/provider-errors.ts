import { AppError } from '../../../platform/errors.ts'
import { isObject } from './parse-object.ts'
import type { JsonObject, ResponseHeaders } from './provider.ts'
import { redact, type SecretsOfEndpoint } from './redact.ts'

/** Codes of a socket or connector that gave up waiting. */
const timeoutCodes = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
])

/** The failure of a call that got no answer, or only a part of one: refused, reset, timed out, not HTTP. */
export function transportFailure(cause: unknown): AppError {
  if (cause instanceof AppError) return cause
  const code = errorCode(cause)
  if (code !== null && timeoutCodes.has(code))
    return upstreamTimeout('The model provider did not answer in time.')
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return new AppError('provider_error', 'The model provider could not be reached.', { cause })
  }
  return new AppError('provider_error', 'The connection to the model provider broke.', { cause })
}

/** An answer that is not what the protocol promises. */
export function malformedAnswer(what: string): AppError {
  return new AppError('provider_error', `The model provider ${what}.`)
}

export function upstreamTimeout(message: string): AppError {
  return new AppError('upstream_timeout', message)
}

/**
 * The failure that a provider's refusal means to our caller. What the caller caused keeps the provider's message and
 * param; our own credentials, quota or address being wrong is a provider_error that tells nothing of them.
 */
export function providerRefusal(
  status: number,
  headers: ResponseHeaders,
  body: JsonObject | null,
  secrets: SecretsOfEndpoint,
): AppError {
  const error = errorOf(body)
  if (saysModelIsMissing(status, error)) {
    return new AppError('model_not_found', 'The provider of this model does not have it.', { param: 'model' })
  }
  if (status === 429) return rateLimited(headers)
  if (status === 408 || status === 504) return upstreamTimeout('The model provider did not answer in time.')
  if (status === 400 || status === 413 || status === 422) return invalidRequest(error, secrets)
  if (status === 401 || status === 402 || status === 403) {
    return new AppError(
      'provider_error',
      `The model provider refused this platform's access (HTTP ${status}).`,
    )
  }
  return new AppError('provider_error', `The model provider failed (HTTP ${status}).`)
}

/** The failure behind an `error` object that came inside a 200 answer or in the middle of a stream. */
export function errorInAnswer(
  body: JsonObject,
  headers: ResponseHeaders,
  secrets: SecretsOfEndpoint,
): AppError {
  return providerRefusal(statusOf(errorOf(body)), headers, body, secrets)
}

/** Whether a parsed frame or answer reports an error in place of a result. */
export function carriesError(body: JsonObject): boolean {
  return (
    isObject(body.error) || (typeof body.error === 'string' && body.error !== '') || body.object === 'error'
  )
}

interface WireError {
  readonly message: string | null
  readonly type: string | null
  readonly code: string | number | null
  readonly param: string | null
}

/** Reads OpenAI's `{error: {…}}`, the bare `{message, …}` of vLLM and FastAPI's `{detail}`, and `{error: "…"}`. */
function errorOf(body: JsonObject | null): WireError {
  const inner = body?.error
  const fields = isObject(inner) ? inner : (body ?? {})
  const message = typeof inner === 'string' ? inner : (fields.message ?? fields.detail)
  const code = fields.code ?? fields.status
  return {
    message: typeof message === 'string' && message !== '' ? message : null,
    type: typeof fields.type === 'string' ? fields.type : null,
    code: typeof code === 'string' || typeof code === 'number' ? code : null,
    param: typeof fields.param === 'string' ? fields.param : null,
  }
}

function statusOf({ code, type }: WireError): number {
  const numeric = Number(code)
  if (numeric >= 400 && numeric < 600) return numeric
  if (type === 'invalid_request_error' || type === 'BadRequestError') return 400
  return type === 'rate_limit_error' || code === 'rate_limit_exceeded' ? 429 : 502
}

function saysModelIsMissing(status: number, { message, code }: WireError): boolean {
  if (code === 'model_not_found') return true
  if (status !== 404 || message === null) return false
  return (
    /\bmodel\b/i.test(message) &&
    /not found|does not exist|doesn't exist|no such|not exist|unknown/i.test(message)
  )
}

function invalidRequest({ message, param }: WireError, secrets: SecretsOfEndpoint): AppError {
  const text =
    message === null ? 'The model provider refused the request as invalid.' : redact(message, secrets)
  return new AppError('invalid_parameter', text, { param })
}

function rateLimited(headers: ResponseHeaders): AppError {
  const seconds = retryAfterSeconds(headers['retry-after'])
  return new AppError(
    'provider_rate_limited',
    'The model provider limits the rate of requests. Try again later.',
    {
      ...(seconds === null ? {} : { retryAfter: seconds }),
    },
  )
}

/** `Retry-After` in whole seconds: a number or an HTTP date. */
function retryAfterSeconds(header: string | string[] | undefined): number | null {
  if (typeof header !== 'string' || header === '') return null
  const seconds = /^\d+(\.\d+)?$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : null
}

/** The code of a failed call. Refusals of every address of a host come as one AggregateError. */
function errorCode(cause: unknown): string | null {
  if (!isObject(cause)) return null
  if (typeof cause.code === 'string') return cause.code
  return Array.isArray(cause.errors) ? errorCode(cause.errors[0]) : null
}
