import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { AppError } from '../errors.ts'
import type { FileLink, FileLinkVerifier, LinkQuery } from '../file-links.ts'

/** Makes links to files that this platform serves at `/v1/files/<key>`, and knows them again. */
export interface SignedLinks extends FileLinkVerifier {
  sign(link: FileLink): string
}

/** What links are made of. */
export interface SignedLinkOptions {
  /** `JAN_SECRET`, or the secret kept in the data folder: all processes of one platform share it. */
  readonly rootSecret: string
  /** What stands before `/<key>` in a link: where `/v1/files` is found from outside. */
  readonly baseUrl: string
}

/** A link is good for exactly what was signed: method, key, time, type, size and name (HMAC-SHA256). */
export function createSignedLinks({ rootSecret, baseUrl }: SignedLinkOptions): SignedLinks {
  const secret = new Uint8Array(hkdfSync('sha256', rootSecret, 'jan-graph', 'file-links', 32))
  const signatureOf = ({ method, key, expires, contentType, size, filename }: FileLink) =>
    createHmac('sha256', secret)
      .update(JSON.stringify([method, key, expires, contentType, size, filename]))
      .digest('base64url')
  return {
    sign({ filename: name, ...rest }) {
      // A query can't hold lone surrogates.
      const link = { ...rest, filename: name?.toWellFormed() ?? null }
      const { method, key, expires, contentType, size, filename } = link
      const query = new URLSearchParams({
        method,
        expires: String(expires),
        type: contentType,
        ...(size === null ? {} : { size: String(size) }),
        ...(filename === null ? {} : { filename }),
        signature: signatureOf(link),
      })
      return `${baseUrl}/${key}?${query}`
    },
    verify(method, key, query) {
      const link = readLink(method, key, query)
      if (!link || !isSame(text(query.signature) ?? '', signatureOf(link))) throw refused()
      if (link.expires * 1000 <= Date.now()) throw refused()
      return link
    },
  }
}

/** What a link says of itself; null where it does not even say it well. */
function readLink(method: FileLink['method'], key: string, query: LinkQuery): FileLink | null {
  const [expires, size] = [wholeNumber(query.expires), wholeNumber(query.size)]
  const contentType = text(query.type)
  if (query.method !== method || expires === null || contentType === null) return null
  if (query.size !== undefined && size === null) return null
  if (query.filename !== undefined && text(query.filename) === null) return null
  return { method, key, expires, contentType, size, filename: text(query.filename) }
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function wholeNumber(value: unknown): number | null {
  return typeof value === 'string' && /^(0|[1-9]\d{0,14})$/.test(value) ? Number(value) : null
}

/** Takes as long for a near miss as for a wild guess. */
function isSame(given: string, expected: string): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(expected)]
  return left.length === right.length && timingSafeEqual(left, right)
}

function refused(): AppError {
  return new AppError('permission_denied', 'This link is not one of ours, or is no longer good.')
}
