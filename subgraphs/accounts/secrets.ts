import { createHash, randomBytes } from 'node:crypto'

/** SHA-256 of a secret: all that is stored of refresh tokens and API keys, which are random enough not to need salt. */
export function secretHash(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

/** A fresh refresh token: 256 random bits, recognisable by its prefix. */
export function newRefreshToken(): string {
  return `${refreshTokenPrefix}${randomBytes(32).toString('base64url')}`
}

/** Tells refresh tokens from access tokens and API keys. */
export const refreshTokenPrefix = 'jrt_'

/** A fresh API key: the prefix, `_` and 48 hexadecimal characters (contract 1.3). */
export function newApiKeySecret(prefix: string): string {
  return `${prefix}_${randomBytes(24).toString('hex')}`
}

/** Whether a credential is an API key (contract 1.1). */
export function isApiKeySecret(credential: string): boolean {
  return credential.startsWith('sk_')
}
