import { AppError } from '../../../platform/errors.ts'
import { isObject } from './parse-object.ts'
import type { JsonObject, ResponseHeaders } from './provider.ts'
import { type NextAsked, ProviderFailure } from './provider-failure.ts'
import { redact, type SecretsOfEndpoint } from './redact.ts'
import { retryAfterMs } from './retry-after.ts'

/** Codes of connections that never came about. */
const unreachableCodes = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
])

/**
 * The failure of a call that got no answer, or only a part of one: unreachable, reset, not HTTP.
 * @param hasBegun whether the head of an answer had come: from then on nobody else may be asked
 */
export function transportFailure(cause: unknown, hasBegun: boolean): AppError {
  if (cause instanceof AppError) return cause
  const code = errorCode(cause)
  const message =
    code !== null && unreachableCodes.has(code)
      ? 'The model provider could not be reached.'
      : 'The connection to the model provider broke.'
  const next = hasBegun ? 'nobody' : 'same'
  return new ProviderFailure('provider_error', message, { next, isFault: true, cause })
}

/** An answer that is not what the protocol promises. Whoever sends such a thing is not asked again for it. */
export function malformedAnswer(what: string, cause?: unknown): ProviderFailure {
  return new ProviderFailure('provider_error', `The model provider ${what}.`, {
    next: 'another',
    isFault: true,
    cause,
  })
}

/** An endpoint that has not begun to answer in time. */
export function lateHead(): ProviderFailure {
  return upstreamTimeout('The model provider did not answer in time.', 'another')
}

/** An endpoint that fell silent in the middle of an answer. */
export function silence(): ProviderFailure {
  return upstreamTimeout('The model provider fell silent in the middle of its answer.', 'nobody')
}

/**
 * The end of the time for a whole call.
 * @param hasBegun whether an answer was under way: it may have been its reader that was slow
 */
export function totalElapsed(hasBegun: boolean): ProviderFailure {
  return upstreamTimeout('The model provider took too long to finish its answer.', 'nobody', !hasBegun)
}

function upstreamTimeout(message: string, next: NextAsked, isFault = true): ProviderFailure {
  return new ProviderFailure('upstream_timeout', message, { next, isFault })
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
  if (status === 408 || status === 504) return lateHead()
  if (status === 400 || status === 413 || status === 422) return invalidRequest(error, secrets)
  if (status === 401 || status === 402 || status === 403) {
    const message = `The model provider refused this platform's access (HTTP ${status}).`
    return new ProviderFailure('provider_error', message, { next: 'another', isFault: false })
  }
  const isFault = status >= 500
  return new ProviderFailure('provider_error', `The model provider failed (HTTP ${status}).`, {
    next: isFault ? 'same' : 'another',
    isFault,
    restMs: retryAfterMs(headers),
  })
}

/** What a client is told of a provider's limit, whoever met it. */
export const rateLimitMessage = 'The model provider limits the rate of requests. Try again later.'

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

function rateLimited(headers: ResponseHeaders): ProviderFailure {
  const restMs = retryAfterMs(headers)
  return new ProviderFailure('provider_rate_limited', rateLimitMessage, {
    next: 'same',
    isFault: false,
    restMs,
    ...(restMs === null ? {} : { retryAfter: Math.ceil(restMs / 1000) }),
  })
}

/** The code of a failed call. Refusals of every address of a host come as one AggregateError. */
function errorCode(cause: unknown): string | null {
  if (!isObject(cause)) return null
  if (typeof cause.code === 'string') return cause.code
  return Array.isArray(cause.errors) ? errorCode(cause.errors[0]) : null
}
