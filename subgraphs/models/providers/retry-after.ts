import type { ResponseHeaders } from './provider.ts'

/** How HTTP dates begin. `Date.parse` takes `-3` for one, too. */
const weekday = /^[A-Za-z]{3,9},? /

/**
 * For how long a provider asks to be left alone, in milliseconds: OpenAI's `retry-after-ms`, else `Retry-After` (RFC 9110,
 * 10.2.3) in seconds or as an HTTP date. Null where it does not say, or nothing that can be read.
 */
export function retryAfterMs(headers: ResponseHeaders, now = Date.now()): number | null {
  const precise = number(headers['retry-after-ms'])
  if (precise !== null) return precise
  const header = headers['retry-after']
  const seconds = number(header)
  if (seconds !== null) return seconds * 1000
  const date = typeof header === 'string' && weekday.test(header) ? Date.parse(header) : Number.NaN
  return Number.isNaN(date) ? null : Math.max(0, date - now)
}

function number(header: string | string[] | undefined): number | null {
  if (typeof header !== 'string' || !/^\d+(\.\d+)?$/.test(header.trim())) return null
  const value = Number(header)
  return Number.isFinite(value) ? value : null
}
