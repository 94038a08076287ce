import { type Actor, requireActor } from '../../../platform/actor.ts'
import { AppError } from '../../../platform/errors.ts'
import { newUuid } from '../../../platform/ids.ts'
import { requiredText } from '../../../platform/text.ts'
import type { AccountsSettings } from '../config.ts'
import type { ApiKey } from '../entities.ts'
import type { CreateApiKeyInput } from '../schema.generated.ts'
import { newApiKeySecret, secretHash } from '../secrets.ts'
import type { ApiKeySource } from '../sources/api-keys.ts'
import type { KeyUses } from './key-uses.ts'
import type { RevocationEcho } from './revocation-echo.ts'

const uuidShape = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
/** A scope as RFC 6749 has it. */
const scopeShape = /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/
const maxScopes = 50
const dayMs = 86_400_000
const defaultScopes = ['read', 'write']

/** What API keys are made of. */
export interface ApiKeyServiceParts {
  readonly actor: Actor | null
  readonly source: ApiKeySource
  readonly uses: KeyUses
  readonly echo: RevocationEcho
  readonly settings: AccountsSettings
}

/** A key that was just made, with the secret that nobody can show again. */
export interface CreatedKey {
  readonly apiKey: ApiKey
  readonly key: string
}

/** A user's own API keys (contract 1.3). */
export function apiKeyService({ actor, source, uses, echo, settings }: ApiKeyServiceParts) {
  return {
    /** @throws AppError `api_key_limit_reached`, `permission_denied` for scopes that the caller can't give */
    async create({ name, expiresInDays, expiresIn, scopes }: CreateApiKeyInput): Promise<CreatedKey> {
      const owner = requireActor(actor)
      const prefix = settings.API_KEY_PREFIX
      const secret = newApiKeySecret(prefix)
      const apiKey = await source.insert(
        {
          id: newUuid(),
          userId: owner.id,
          name: requiredText(name.trim(), { param: 'name', max: 100, singleLine: true }),
          prefix,
          suffix: secret.slice(-4),
          secretHash: secretHash(secret),
          scopes: grantedScopes(scopes ?? null, owner),
          expiresAt: new Date(Date.now() + lifeOf({ expiresInDays, expiresIn }, settings)),
        },
        settings.API_KEY_MAX_PER_USER,
      )
      if (apiKey) return { apiKey, key: secret }
      throw new AppError(
        'api_key_limit_reached',
        `You have ${settings.API_KEY_MAX_PER_USER} API keys already: revoke one first.`,
      )
    },

    async list(): Promise<ApiKey[]> {
      const { id } = requireActor(actor)
      await uses.flush()
      return source.ofUser(id)
    },

    /** @throws AppError `invalid_id`; `not_found` when the caller has no such key */
    async revoke(id: string): Promise<ApiKey> {
      const owner = requireActor(actor)
      if (!uuidShape.test(id)) {
        throw new AppError('invalid_id', 'The id of an API key is a UUID.', { param: 'id' })
      }
      const revoked = await echo.after(
        `key:${id.toLowerCase()}`,
        () => source.revoke(owner.id, id),
        (key) => key !== null,
      )
      if (!revoked) throw new AppError('not_found', 'There is no such API key.')
      return revoked
    },
  }
}

/** The service of one request. */
export type ApiKeyService = ReturnType<typeof apiKeyService>

/** Whether a key works now. */
export function statusOf({ revokedAt, expiresAt }: ApiKey): 'ACTIVE' | 'EXPIRED' | 'REVOKED' {
  if (revokedAt != null) return 'REVOKED'
  return expiresAt != null && expiresAt.getTime() <= Date.now() ? 'EXPIRED' : 'ACTIVE'
}

/** In milliseconds. Longer than is allowed counts as that (contract 1.3). */
function lifeOf(
  { expiresInDays, expiresIn }: Pick<CreateApiKeyInput, 'expiresInDays' | 'expiresIn'>,
  settings: AccountsSettings,
): number {
  const asked =
    expiresInDays != null
      ? positive(expiresInDays, 'expires_in_days') * dayMs
      : expiresIn != null
        ? positive(expiresIn, 'expires_in') * 1000
        : settings.API_KEY_DEFAULT_TTL
  return Math.min(asked, settings.API_KEY_MAX_TTL)
}

function positive(value: number, param: string): number {
  if (value >= 1) return value
  throw new AppError('invalid_parameter', `${param} must be 1 or more.`, { param })
}

/** A key can't have a power over others that its maker has not, nor, made with a key, more than that one. */
function grantedScopes(asked: readonly string[] | null, owner: Actor): string[] {
  const scopes = [...new Set(asked ?? (owner.method === 'api_key' ? owner.scopes : defaultScopes))]
  if (scopes.length > maxScopes || scopes.some((scope) => !scopeShape.test(scope))) {
    throw new AppError(
      'invalid_parameter',
      `scopes must be at most ${maxScopes} words of up to 100 characters.`,
      { param: 'scopes' },
    )
  }
  const beyond = scopes.find(
    (scope) => !owner.scopes.includes(scope) && (owner.method === 'api_key' || /admin/i.test(scope)),
  )
  if (beyond === undefined || owner.isAdmin) return scopes
  throw new AppError('permission_denied', `You can’t give the scope '${beyond}'.`, { param: 'scopes' })
}
