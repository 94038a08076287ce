import { createHash, createHmac } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** What tells a presigned request from one that says who sends it. */
const algorithm = 'X-Amz-Algorithm'
const signatureName = 'X-Amz-Signature'

/**
 * Whether a request may be let in as far as its query is signed (AWS Signature Version 4, "Authenticating Requests: Using Query
 * Parameters"); true for one that is not signed in its query.
 */
export function isWellSigned(request: IncomingMessage, secret: string): boolean {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
  if (!searchParams.has(algorithm)) return true
  const value = (name: string) => searchParams.get(name) ?? ''
  const date = value('X-Amz-Date')
  const [, ...scope] = value('X-Amz-Credential').split('/')
  const query = [...searchParams]
    .filter(([name]) => name !== signatureName)
    .map((pair) => pair.map(encoded).join('='))
    .sort()
    .join('&')
  const names = value('X-Amz-SignedHeaders')
  const headers = names.split(';').map((name) => `${name}:${String(request.headers[name] ?? '').trim()}\n`)
  const canonical = [request.method, pathname, query, headers.join(''), names, 'UNSIGNED-PAYLOAD'].join('\n')
  const toSign = [
    value(algorithm),
    date,
    scope.join('/'),
    createHash('sha256').update(canonical).digest('hex'),
  ]
  const key = scope.reduce<string | Buffer>((under, part) => hmac(under, part), `AWS4${secret}`)
  return (
    hmac(key, toSign.join('\n')).toString('hex') === value(signatureName) &&
    !isOver(date, value('X-Amz-Expires'))
  )
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** @param date as `20300101T120000Z` @param seconds for which it is good */
function isOver(date: string, seconds: string): boolean {
  const iso = date.replace(/^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/, '$1-$2-$3T$4:$5:$6Z')
  return Date.parse(iso) + Number(seconds) * 1000 <= Date.now()
}
