import { timingSafeEqual } from 'node:crypto'
import { AppError } from '../../../platform/errors.ts'
import type { User } from '../entities.ts'
import { isApiKeySecret, secretHash } from '../secrets.ts'
import type { UserSource } from '../sources/users.ts'
import type { CredentialService } from './credentials.ts'

/**
 * Tells other services whom an API key speaks for (contract 1.2). They prove themselves by the key that the platform
 * shares with them; without one configured nobody can ask.
 */
export function keyValidationService(
  serviceKey: string | undefined,
  credentials: CredentialService,
  users: UserSource,
) {
  const expected = serviceKey === undefined ? null : secretHash(serviceKey)
  return {
    /** @throws AppError `route_not_found` where this is switched off, else with a 401 code */
    async ownerOf(givenServiceKey: string | null, apiKey: string): Promise<User> {
      if (!expected) throw new AppError('route_not_found', 'There is no such route.')
      if (givenServiceKey === null || !timingSafeEqual(expected, secretHash(givenServiceKey))) {
        throw new AppError(
          'missing_credentials',
          'Only services of the platform may ask this: send X-Service-Key.',
        )
      }
      if (!isApiKeySecret(apiKey)) throw invalidKey()
      const { actor } = await credentials.verify({ bearer: apiKey })
      return (await users.byId(actor.id)) ?? Promise.reject(invalidKey())
    },
  }
}

function invalidKey(): AppError {
  return new AppError('invalid_api_key', 'The API key is not valid: it is unknown, expired or revoked.')
}

/** The service of one request. */
export type KeyValidationService = ReturnType<typeof keyValidationService>
