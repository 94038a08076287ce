import type { ClientTrace } from '../../../platform/context.ts'
import { AppError } from '../../../platform/errors.ts'
import { newUuid } from '../../../platform/ids.ts'
import type { User } from '../entities.ts'
import type { BuiltinIssuer } from '../issuers/builtin-issuer.ts'
import type { VerifiedToken } from '../issuers/verified-token.ts'
import { newRefreshToken, refreshTokenPrefix, secretHash } from '../secrets.ts'
import type { RefusedToken, SessionSource } from '../sources/sessions.ts'
import type { RevocationEcho } from './revocation-echo.ts'

/** What a login or a refresh gives. */
export interface IssuedTokens {
  readonly user: User
  readonly accessToken: string
  readonly refreshToken: string
  /** Seconds. */
  readonly expiresIn: number
  readonly expiresAt: Date
}

/** What sessions are made of. */
export interface SessionServiceParts {
  readonly source: SessionSource
  /** Null when the built-in issuer is switched off. */
  readonly issuer: BuiltinIssuer | null
  readonly echo: RevocationEcho
  readonly refreshLifeMs: number
  readonly client: ClientTrace
  /** Refreshes a session of the external identity provider; null where none signs people in. */
  readonly refreshAtProvider: ((refreshToken: string) => Promise<IssuedTokens>) | null
  /** Checks an access token's signature. @throws AppError with a 401 code */
  signatureOf(token: string): Promise<VerifiedToken>
}

const maxTraceLength = 512

/** Sessions of the built-in issuer: a family of refresh tokens, and the access tokens that it gave. */
export function sessionService(parts: SessionServiceParts) {
  const { source, echo, refreshLifeMs, client, signatureOf } = parts
  const issuer = () => {
    if (parts.issuer) return parts.issuer
    throw new AppError(
      'feature_disabled',
      'This platform signs nobody in itself: get a token from its identity provider.',
    )
  }
  const tokens = async (user: User, sessionId: string, refreshToken: string): Promise<IssuedTokens> => {
    const { token, expiresIn, expiresAt } = await issuer().issue(user, sessionId)
    return { user, accessToken: token, refreshToken, expiresIn, expiresAt }
  }
  const end = (sessionId: string) =>
    echo.after(
      `session:${sessionId}`,
      () => source.end(sessionId),
      (found) => found,
    )

  /** The token as one of ours, or null when it is nobody's: whoever revokes learns nothing of it. */
  const known = async (token: string): Promise<VerifiedToken | null> => {
    try {
      return await signatureOf(token)
    } catch (error) {
      if (error instanceof AppError && error.status === 401) return null
      throw error
    }
  }
  const revokeAccess = ({ tokenKey, expiresAt }: VerifiedToken) =>
    echo.after(`token:${tokenKey}`, () => source.revokeToken(tokenKey, expiresAt))
  const endByRefreshToken = async (token: string) => {
    const sessionId = await source.sessionOf(secretHash(token))
    if (sessionId) await end(sessionId)
  }

  return {
    /** A new guest and its tokens (contract 1.2). @throws AppError `feature_disabled` */
    async guestLogin(): Promise<IssuedTokens> {
      await issuer().prepare()
      const userId = newUuid()
      const sessionId = newUuid()
      const refreshToken = newRefreshToken()
      const name = `guest-${newUuid()}`
      const user = await source.insertGuest({
        userId,
        username: name,
        email: `${name}@temp.jan.ai`,
        session: {
          id: sessionId,
          tokenHash: secretHash(refreshToken),
          expiresAt: new Date(Date.now() + refreshLifeMs),
          ip: client.ip,
          userAgent: client.userAgent?.slice(0, maxTraceLength).replaceAll('\u0000', '') ?? null,
        },
      })
      return tokens(user, sessionId, refreshToken)
    },

    /**
     * Exchanges a refresh token. One that was used before is in two hands: its whole session ends, without grace.
     * @throws AppError `invalid_token`, `token_expired`, `token_revoked`
     */
    async refresh(refreshToken: string): Promise<IssuedTokens> {
      if (parts.refreshAtProvider && !refreshToken.startsWith(refreshTokenPrefix)) {
        return parts.refreshAtProvider(refreshToken)
      }
      await issuer().prepare()
      const hash = secretHash(refreshToken)
      const next = newRefreshToken()
      const continued = await source.rotate(hash, secretHash(next), new Date(Date.now() + refreshLifeMs))
      if (continued) return tokens(continued.user, continued.sessionId, next)
      const refused = await source.refusal(hash)
      if (refused.reason === 'used' && refused.sessionId) await end(refused.sessionId)
      throw refusal(refused)
    },

    /** RFC 7009: a refresh token ends its session, an access token itself; others are none of our business. */
    async revoke(token: string): Promise<void> {
      if (token.startsWith(refreshTokenPrefix)) return endByRefreshToken(token)
      const access = await known(token)
      if (access) await revokeAccess(access)
    },

    /** Ends the session that a token belongs to. */
    async logout(token: string | null): Promise<void> {
      if (token === null) return
      if (token.startsWith(refreshTokenPrefix)) return endByRefreshToken(token)
      const access = await known(token)
      if (access?.sessionId) await end(access.sessionId)
      else if (access) await revokeAccess(access)
    },
  }
}

/** The service of one request. */
export type SessionService = ReturnType<typeof sessionService>

function refusal({ reason }: RefusedToken): AppError {
  switch (reason) {
    case 'used':
    case 'revoked':
      return new AppError('token_revoked', 'The session of this refresh token was ended.')
    case 'expired':
      return new AppError('token_expired', 'The refresh token has expired.')
    case 'unknown':
      return new AppError('invalid_token', 'The refresh token is not valid.')
  }
}
