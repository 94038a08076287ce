import { hkdfSync } from 'node:crypto'
import { jwtVerify, SignJWT } from 'jose'
import { z } from 'zod'
import type { Actor } from './actor.ts'
import { AppError } from './errors.ts'

/** How processes of one platform prove to each other for whom they ask (design: split mode). */
export interface InternalTokens {
  /** A token that speaks for `actor`, or for nobody on the public operations. */
  mint(actor: Actor | null): Promise<string>
  /** @throws AppError `invalid_token` */
  verify(token: string): Promise<Actor | null>
}

const audience = 'internal'

/** A stream may last ten minutes; its token lives a minute more. */
const lifeSeconds = 660

const actorClaim = z
  .object({
    id: z.string(),
    subject: z.string(),
    method: z.enum(['jwt', 'api_key', 'internal']),
    roles: z.array(z.enum(['admin', 'user', 'guest'])),
    scopes: z.array(z.string()),
    username: z.string().nullable(),
    email: z.string().nullable(),
    featureFlags: z.array(z.string()),
    isGuest: z.boolean(),
    isAdmin: z.boolean(),
  })
  .nullable()

/** @param rootSecret `JAN_SECRET`, which all processes of one platform share; the signing key is derived from it */
export function createInternalTokens(rootSecret: string): InternalTokens {
  const key = new Uint8Array(hkdfSync('sha256', rootSecret, 'jan-graph', 'internal-token', 32))
  return {
    mint: (actor) =>
      new SignJWT({ actor })
        .setProtectedHeader({ alg: 'HS256' })
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime(`${lifeSeconds}s`)
        .sign(key),
    async verify(token) {
      try {
        const { payload } = await jwtVerify(token, key, { audience, algorithms: ['HS256'] })
        return actorClaim.parse(payload.actor)
      } catch (cause) {
        throw new AppError('invalid_token', 'Subgraphs answer only to the platform itself.', { cause })
      }
    },
  }
}
