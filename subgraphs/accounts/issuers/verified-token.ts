import { createHash } from 'node:crypto'
import { errors } from 'jose'
import { AppError } from '../../../platform/errors.ts'
import type { TokenIdentity } from '../sources/credentials.ts'
import type { ExternalProfile } from '../sources/users.ts'

/** An access token whose signature, issuer, audience and time are right. Whether it was revoked, the database knows. */
export interface VerifiedToken {
  readonly identity: TokenIdentity
  /** Names this very token among the revoked ones. */
  readonly tokenKey: string
  /** The session that it ends with; external tokens have none here. */
  readonly sessionId: string | null
  readonly expiresAt: Date
  readonly scopes: readonly string[]
  /** What the token says of its user; null where the database knows better. */
  readonly profile: ExternalProfile | null
}

/** Somebody whose access tokens are accepted. */
export interface TokenVerifier {
  /** Whether a token that names `issuer` is this one's to judge. */
  accepts(issuer: string): Promise<boolean>
  /** @throws AppError `invalid_token`, `token_expired`; `service_unavailable` when the issuer's keys can't be had */
  verify(token: string): Promise<VerifiedToken>
}

/** @throws AppError `invalid_token` */
export function refuseToken(reason: string, cause?: unknown): never {
  throw new AppError('invalid_token', `The access token is not valid: ${reason}.`, { cause })
}

/** Rethrows what jose found wrong with a token as what a client may know of it. */
export function rethrowJoseError(error: unknown): never {
  if (error instanceof errors.JWTExpired) {
    throw new AppError('token_expired', 'The access token has expired.', { cause: error })
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    refuseToken(`its claim '${error.claim}' is not accepted`, error)
  }
  if (error instanceof errors.JOSEError) refuseToken('it is malformed or was not signed by its issuer', error)
  throw error
}

/** A name for an external token: issuers make `jti` unique among their own only, and some make none. */
export function externalTokenKey(issuer: string, jti: string | undefined, token: string): string {
  return createHash('sha256')
    .update(jti ? `${issuer}\n${jti}` : token)
    .digest('hex')
}

/** The scopes of a `scope` claim. */
export function scopesOf(claim: unknown): string[] {
  return typeof claim === 'string' ? claim.split(' ').filter(Boolean) : []
}
