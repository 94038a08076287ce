import { decodeJwt } from 'jose'
import { AppError } from '../../../platform/errors.ts'
import { newUuid } from '../../../platform/ids.ts'
import type { User } from '../entities.ts'
import {
  refuseToken,
  rethrowJoseError,
  type TokenVerifier,
  type VerifiedToken,
} from '../issuers/verified-token.ts'
import { isApiKeySecret, secretHash } from '../secrets.ts'
import type { CredentialSource } from '../sources/credentials.ts'
import type { ExternalProfile, UserSource } from '../sources/users.ts'
import type { KeyUses } from './key-uses.ts'
import { isActive, type Principal, principalOf } from './principal.ts'

/** What a caller sent (contract 1.1). */
export interface CallerCredentials {
  readonly bearer?: string | null
  readonly apiKeys?: readonly string[] | null
}

/** Whom credentials speak for, until when that may be believed, and what ends it earlier (`platform/revocations.ts`). */
export interface Verified {
  readonly actor: Principal
  readonly expiresAt: Date
  readonly cacheKeys: readonly string[]
}

/** What verification is made of. */
export interface CredentialServiceParts {
  readonly source: CredentialSource
  readonly users: UserSource
  readonly verifiers: readonly TokenVerifier[]
  readonly uses: KeyUses
  /** Development only: whoever signs in counts as an administrator (contract 1.8). */
  readonly adminBypass: boolean
}

/** A key without an end is looked at again after a day. */
const endlessMs = 86_400_000

/** Finds out whom credentials speak for. */
export function credentialService({ source, users, verifiers, uses, adminBypass }: CredentialServiceParts) {
  const signatureOf = async (token: string): Promise<VerifiedToken> => {
    const issuer = issuerOf(token)
    for (const verifier of verifiers) if (await verifier.accepts(issuer)) return verifier.verify(token)
    return refuseToken('its issuer is not accepted')
  }

  const ofToken = async (token: string): Promise<Verified> => {
    const verified = await signatureOf(token)
    const { identity, tokenKey, sessionId, profile, scopes, expiresAt } = verified
    const { user: known, revoked } = await source.token(identity, tokenKey, sessionId)
    if (revoked) throw new AppError('token_revoked', 'The access token was revoked.')
    const user = profile && !(known && agrees(known, profile)) ? await users.seen(newUuid(), profile) : known
    if (!user || !isActive(user)) refuseToken('its user can’t sign in')
    return {
      actor: principalOf(user, { method: 'jwt', subject: identity.subject, scopes }),
      expiresAt,
      cacheKeys: [`user:${user.id}`, `token:${tokenKey}`, ...(sessionId ? [`session:${sessionId}`] : [])],
    }
  }

  const ofApiKey = async (secret: string): Promise<Verified> => {
    const found = await source.apiKey(secretHash(secret))
    const now = Date.now()
    const ended = found?.key.expiresAt != null && found.key.expiresAt.getTime() <= now
    if (!found || ended || found.key.revokedAt != null || !isActive(found.user)) {
      throw new AppError('invalid_api_key', 'The API key is not valid: it is unknown, expired or revoked.')
    }
    const { key, user } = found
    uses.note(key)
    return {
      actor: principalOf(user, { method: 'api_key', subject: user.id, scopes: key.scopes }),
      expiresAt: key.expiresAt ?? new Date(now + endlessMs),
      cacheKeys: [`user:${user.id}`, `key:${key.id}`],
    }
  }

  const ofOne = async (credential: string): Promise<Verified> => {
    const verified = await (isApiKeySecret(credential) ? ofApiKey(credential) : ofToken(credential))
    return adminBypass ? { ...verified, actor: { ...verified.actor, isAdmin: true } } : verified
  }

  return {
    /** Checks an access token's signature, issuer, audience and time. @throws AppError with a 401 code */
    signatureOf,

    /**
     * Of several credentials all must speak for one user; the first, the bearer, decides how.
     * @throws AppError with a 401 code; `service_unavailable` when an external issuer can't be asked
     */
    async verify({ bearer, apiKeys }: CallerCredentials): Promise<Verified> {
      const sent = [...new Set([...(bearer ? [bearer] : []), ...(apiKeys ?? []).filter(isApiKeySecret)])]
      const [first, ...others] = sent
      if (first === undefined) throw new AppError('missing_credentials', 'No credential was sent.')
      if (others.length === 0) return ofOne(first)
      const all = await Promise.all(sent.map(ofOne)).catch(refuseConflict)
      return agreed(all)
    },
  }
}

/** The service of one request. */
export type CredentialService = ReturnType<typeof credentialService>

function issuerOf(token: string): string {
  try {
    return String(decodeJwt(token).iss)
  } catch (error) {
    return rethrowJoseError(error)
  }
}

/** A profile that the database has already needs no write. */
function agrees(user: User, profile: ExternalProfile): boolean {
  return (Object.keys(profile) as (keyof ExternalProfile)[]).every(
    (name) => JSON.stringify(user[name] ?? null) === JSON.stringify(profile[name]),
  )
}

function agreed(all: readonly Verified[]): Verified {
  const [first] = all
  if (!first || all.some(({ actor }) => actor.id !== first.actor.id)) throw conflict()
  return {
    actor: first.actor,
    expiresAt: new Date(Math.min(...all.map(({ expiresAt }) => expiresAt.getTime()))),
    cacheKeys: [...new Set(all.flatMap(({ cacheKeys }) => cacheKeys))],
  }
}

/** Beside another credential a bad one is a conflict; trouble of ours stays trouble. */
function refuseConflict(error: unknown): never {
  if (error instanceof AppError && error.status === 401) throw conflict(error)
  throw error
}

function conflict(cause?: unknown): AppError {
  return new AppError(
    'conflicting_credentials',
    'The credentials of this request do not all speak for one user.',
    { cause },
  )
}
