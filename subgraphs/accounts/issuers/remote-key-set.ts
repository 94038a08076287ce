import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import type { Logger } from '../../../platform/log.ts'
import { remoteDocument } from './remote-document.ts'

/** An unknown key id is fetched for at most this often: anybody can make one up. */
const unknownKeyPauseMs = 500

/** How a key set is fetched. */
export interface RemoteKeySetOptions {
  readonly url: () => Promise<string>
  readonly refreshMs: number
  readonly log: Logger
}

/** The keys of an external issuer: fetched when first asked for, again when they are old, and at once for an unknown key id. */
export function remoteKeySet(options: RemoteKeySetOptions): JWTVerifyGetKey {
  const keys = remoteDocument({ ...options, read: (json) => createLocalJWKSet(json as JSONWebKeySet) })
  return async (header, token) => {
    const find = await keys.get()
    try {
      return await find(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      const findAgain = await keys.renew(unknownKeyPauseMs)
      return findAgain(header, token)
    }
  }
}
