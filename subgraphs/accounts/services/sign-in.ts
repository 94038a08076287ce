import { createHash, randomBytes } from 'node:crypto'
import { AppError } from '../../../platform/errors.ts'
import type { Logger } from '../../../platform/log.ts'
import type { SecretBox } from '../../../platform/secret-box.ts'
import {
  type AuthorizationServer,
  type GrantedTokens,
  TokenRefused,
} from '../issuers/authorization-server.ts'
import { secretHash } from '../secrets.ts'
import type { PendingSignIn, SignInSource } from '../sources/sign-ins.ts'
import type { UserSource } from '../sources/users.ts'
import type { CredentialService } from './credentials.ts'
import type { IssuedTokens } from './sessions.ts'

/** What the identity provider's redirect brings back. */
export interface SignInReturn {
  readonly code?: string | null
  readonly state?: string | null
  readonly error?: string | null
}

/** What signing in is made of; the same for all requests of a process. */
export interface SignInParts {
  readonly source: SignInSource
  /** Null where no identity provider is configured that signs people in. */
  readonly server: AuthorizationServer | null
  readonly secrets: SecretBox
  /** Where people go who did not say where to, or whose sign-in is not known. */
  readonly homeUrl: string
  /** The origins that tokens may be sent to. */
  readonly redirectOrigins: ReadonlySet<string>
}

/** Why a sign-in failed, as contract 1.2 spells it, with a sentence for people. */
const failures = {
  invalid_request: 'The identity provider sent neither a code nor a state.',
  invalid_state: 'This sign-in is not known: it has ended already, or took longer than ten minutes.',
  invalid_redirect: 'Tokens may not be sent to where this sign-in came from.',
  access_denied: 'The identity provider did not sign you in.',
  token_exchange_failed: 'The identity provider did not confirm the sign-in.',
} as const

const pendingMs = 600_000
const sealPurpose = 'sign-in'
const maxRedirectLength = 2_048

/** Sign-in by browser at an external identity provider (contract 1.2): authorization code with PKCE. */
export function signInService(
  { source, server, secrets, homeUrl, redirectOrigins }: SignInParts,
  credentials: CredentialService,
  users: UserSource,
  log: Logger,
) {
  const accepted = (given: string): string | null => {
    const url = given.length > maxRedirectLength ? null : URL.parse(given)
    if (!url || !redirectOrigins.has(url.origin)) return null
    if (url.username !== '' || url.password !== '') return null
    url.hash = ''
    return url.href
  }

  /** Tokens that this platform would refuse are no sign-in. */
  const granted = async (code: string, pending: PendingSignIn): Promise<GrantedTokens | null> => {
    try {
      if (!server) return null
      const verifier = secrets.open(sealPurpose, pending.verifierSealed)
      const tokens = await server.exchange(code, verifier, pending.nonce)
      await credentials.verify({ bearer: tokens.accessToken })
      return tokens
    } catch (error) {
      log.warn({ err: error }, 'a sign-in could not be ended')
      return null
    }
  }

  return {
    /**
     * Begins a sign-in that may end once, within ten minutes, in any process.
     * @param redirectUrl where to send the tokens; the platform's own address while null
     * @throws AppError `service_unavailable`, `invalid_parameter` for `redirect_url`
     */
    async start(redirectUrl: string | null): Promise<{ authorizationUrl: string; state: string }> {
      if (!server) {
        throw new AppError(
          'service_unavailable',
          'No identity provider is configured here that signs people in.',
        )
      }
      const target = accepted(redirectUrl ?? homeUrl)
      if (target === null) {
        throw new AppError('invalid_parameter', 'Tokens may not be sent to this redirect_url.', {
          param: 'redirect_url',
        })
      }
      const [state, nonce, verifier] = [newSecret(), newSecret(), newSecret()]
      const challenge = createHash('sha256').update(verifier).digest('base64url')
      const authorizationUrl = await server.authorizationUrl({ state, nonce, challenge })
      const pending = { verifierSealed: secrets.seal(sealPurpose, verifier), nonce, redirectUrl: target }
      await source.insert(secretHash(state), pending, new Date(Date.now() + pendingMs))
      return { authorizationUrl, state }
    },

    /**
     * Goes on with a session of the identity provider.
     * @throws AppError `invalid_token` when the provider refuses, `service_unavailable` when it can't be asked
     */
    async refresh(refreshToken: string): Promise<IssuedTokens> {
      if (!server) throw refused()
      const tokens = await server.refresh(refreshToken).catch((error: unknown) => {
        if (error instanceof TokenRefused) throw refused(error)
        throw new AppError(
          'service_unavailable',
          'The identity provider can’t be reached to refresh the session.',
          {
            cause: error,
          },
        )
      })
      const { actor } = await credentials.verify({ bearer: tokens.accessToken })
      const user = await users.byId(actor.id)
      if (!user) throw refused()
      return {
        user,
        accessToken: tokens.accessToken,
        refreshToken: tokens.refreshToken ?? refreshToken,
        expiresIn: tokens.expiresIn,
        expiresAt: new Date(Date.now() + tokens.expiresIn * 1000),
      }
    },

    /** Ends a sign-in. Gives where to send the browser: with the tokens in the fragment, or with why there are none. */
    async finish({ code, state, error }: SignInReturn): Promise<string> {
      if (!state) return failedAt(homeUrl, 'invalid_request')
      const pending = await source.take(secretHash(state))
      if (!pending) return failedAt(homeUrl, 'invalid_state')
      // The list may have become shorter meanwhile.
      const target = accepted(pending.redirectUrl)
      if (target === null) return failedAt(homeUrl, 'invalid_redirect')
      if (error) return failedAt(target, 'access_denied')
      if (!code) return failedAt(target, 'invalid_request')
      const tokens = await granted(code, pending)
      return tokens ? signedIn(target, tokens) : failedAt(target, 'token_exchange_failed')
    },
  }
}

/** The service of one request. */
export type SignInService = ReturnType<typeof signInService>

function refused(cause?: unknown): AppError {
  return new AppError('invalid_token', 'The refresh token is not valid.', { cause })
}

function newSecret(): string {
  return randomBytes(32).toString('base64url')
}

function signedIn(target: string, { accessToken, refreshToken, expiresIn }: GrantedTokens): string {
  const fragment = new URLSearchParams({
    access_token: accessToken,
    ...(refreshToken === null ? {} : { refresh_token: refreshToken }),
    expires_in: String(expiresIn),
    token_type: 'Bearer',
  })
  return `${target}#${fragment}`
}

function failedAt(target: string, error: keyof typeof failures): string {
  const url = new URL(target)
  url.searchParams.set('error', error)
  url.searchParams.set('error_description', failures[error])
  return url.href
}
