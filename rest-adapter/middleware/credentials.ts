import type { IncomingHttpHeaders } from 'node:http'
import { AppError } from '../../platform/errors.ts'

/** What a request carries to prove who sends it (contract 1.1). */
export interface SentCredentials {
  /** What stands after `Bearer`: an access token or an API key. */
  readonly bearer: string | null
  /** What stands in `X-API-Key` and `apikey`, as far as it looks like a key of ours. */
  readonly apiKeys: readonly string[]
}

/**
 * Reads the credentials of a request; null when there are none. Other schemes than Bearer, and `X-API-Key`s of other
 * systems, are not ours to judge.
 * @throws AppError `invalid_token` for a `Bearer` with nothing behind it
 */
export function readCredentials(headers: IncomingHttpHeaders): SentCredentials | null {
  const bearer = bearerOf(headers)
  const apiKeys = [headers['x-api-key'], headers.apikey].flatMap((value) => {
    const key = (Array.isArray(value) ? value.join(',') : value)?.trim()
    return key?.startsWith('sk_') ? [key] : []
  })
  return bearer === null && apiKeys.length === 0 ? null : { bearer, apiKeys }
}

/** What stands after `Bearer`, whatever it is; null when there is no such header. @throws AppError `invalid_token` */
export function bearerOf({ authorization }: IncomingHttpHeaders): string | null {
  const match = /^Bearer(?:\s+(.*))?$/i.exec(authorization?.trim() ?? '')
  if (!match) return null
  const token = match[1]?.trim()
  if (token) return token
  throw new AppError('invalid_token', 'The Authorization header has no token behind Bearer.')
}
