import { AppError } from '../../platform/errors.ts'
import { readCredentials } from '../middleware/credentials.ts'
import type { Authenticator } from '../request-scope.ts'

/** Identifies callers by token alone: API keys are taken at the gateway only (contract 0.1, ruling R3). */
export function jwtOnly(authenticator: Authenticator): Authenticator {
  return {
    async authenticate(headers, base) {
      const sent = readCredentials(headers)
      if (sent && (sent.apiKeys.length > 0 || sent.bearer?.startsWith('sk_')))
        throw new AppError('invalid_api_key', 'API keys are taken at the gateway only. Send a token here.')
      return authenticator.authenticate(headers, base)
    },
  }
}
