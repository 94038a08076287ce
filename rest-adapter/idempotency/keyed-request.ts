import { createHash } from 'node:crypto'
import type { Request } from 'express'
import type { Actor } from '../../platform/actor.ts'
import { AppError } from '../../platform/errors.ts'

/** A request that its sender may repeat: what it is known under, and what tells it from another one. */
export interface KeyedRequest {
  readonly scope: Buffer
  readonly fingerprint: Buffer
}

const maxKeyLength = 255

/**
 * Contract 8.5: the scope is principal, method, path and key. The same operation under another of its documented paths is
 * the same path here. Null without a key.
 * @param form what else tells one answer from another, as the type that was asked for
 * @throws AppError `invalid_parameter` for a key that is none
 */
export function keyedRequest(request: Request, actor: Actor, body: Buffer, form = ''): KeyedRequest | null {
  const key = request.headers['idempotency-key']
  if (key === undefined) return null
  if (typeof key !== 'string' || key.length === 0 || key.length > maxKeyLength)
    throw new AppError('invalid_parameter', `An idempotency key has 1 to ${maxKeyLength} characters.`, {
      param: 'Idempotency-Key',
    })
  const path = (request.baseUrl + request.path).replace(/\/+$/, '')
  const query = request.url.includes('?') ? request.url.slice(request.url.indexOf('?')) : ''
  return {
    scope: digest(actor.id, request.method, path, key),
    fingerprint: digest(query, form, body),
  }
}

/** Lengths stand before the parts, so that no two lists of parts look alike. */
function digest(...parts: readonly (string | Buffer)[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part)
  return hash.digest()
}
