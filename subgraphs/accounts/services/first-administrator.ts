import { newUuid } from '../../../platform/ids.ts'
import type { AccountsSettings } from '../config.ts'
import { newApiKeySecret, secretHash } from '../secrets.ts'
import type { AdministratorKey, FirstAdministratorSource } from '../sources/first-administrator.ts'

/**
 * Gives the platform an administrator who can get in: by `JAN_ADMIN_API_KEY` where it is set, else by a key that is made at
 * the first start. The environment is the truth: a key that left it is revoked.
 * @returns what the person who starts the platform must be told: the key, once
 */
export async function ensureFirstAdministrator(
  source: FirstAdministratorSource,
  { JAN_ADMIN_API_KEY: given, API_KEY_PREFIX }: AccountsSettings,
): Promise<string[]> {
  const userId = await source.ensureUser(newUuid())
  await source.setEnvironmentKey(userId, given === undefined ? null : stored(given, API_KEY_PREFIX))
  if (given !== undefined) return []
  const secret = newApiKeySecret(API_KEY_PREFIX)
  const made = await source.insertFirst(userId, stored(secret, API_KEY_PREFIX))
  return made ? [`The administrator's API key, shown only this once: ${secret}`] : []
}

function stored(secret: string, prefix: string): AdministratorKey {
  return {
    id: newUuid(),
    prefix: secret.startsWith(`${prefix}_`) ? prefix : 'sk',
    suffix: secret.slice(-4),
    secretHash: secretHash(secret),
  }
}
