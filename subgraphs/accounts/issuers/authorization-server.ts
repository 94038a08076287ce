import { jwtVerify } from 'jose'
import { z } from 'zod'
import type { Logger } from '../../../platform/log.ts'
import type { AccountsSettings } from '../config.ts'
import { remoteDocument } from './remote-document.ts'
import { remoteKeySet } from './remote-key-set.ts'

/** What the identity provider gave for a code or a refresh token. */
export interface GrantedTokens {
  readonly accessToken: string
  /** Null where the provider gives none. */
  readonly refreshToken: string | null
  /** Seconds. */
  readonly expiresIn: number
}

/** What one sign-in is asked for with. */
export interface AuthorizationRequest {
  readonly state: string
  readonly nonce: string
  /** The S256 challenge of the verifier (RFC 7636). */
  readonly challenge: string
}

/** The identity provider as the one that signs people in: authorization code with PKCE. */
export interface AuthorizationServer {
  /** Where to send the browser. @throws AppError `service_unavailable` when the provider can't be asked for it */
  authorizationUrl(request: AuthorizationRequest): Promise<string>
  /** @throws Error when the provider refuses, can't be reached, or vouches for another sign-in than this */
  exchange(code: string, verifier: string, nonce: string): Promise<GrantedTokens>
  /** @throws TokenRefused when the token is no good, Error when the provider can't be reached */
  refresh(refreshToken: string): Promise<GrantedTokens>
}

/** The provider's no: the code or the refresh token is not valid, or was used before. */
export class TokenRefused extends Error {
  override name = 'TokenRefused'
}

const exchangeTimeoutMs = 10_000
const maxAnswerBytes = 256 * 1024
const scope = 'openid profile email'

/** Signatures of id tokens that are accepted; never `none`, never a shared secret. */
const algorithms = ['RS256', 'RS384', 'RS512', 'ES256', 'PS256', 'EdDSA']

const metadata = z.object({
  issuer: z.string(),
  jwks_uri: z.url(),
  authorization_endpoint: z.url(),
  token_endpoint: z.url(),
})

const tokenAnswer = z.object({
  access_token: z.string().min(1),
  refresh_token: z.string().min(1).optional(),
  id_token: z.string().min(1).optional(),
  expires_in: z.number().int().nonnegative().default(300),
})

/** @param redirectUri where the provider sends the browser back to */
export function authorizationServer(
  discoveryUrl: string,
  redirectUri: string,
  settings: AccountsSettings,
  log: Logger,
): AuthorizationServer {
  const {
    OAUTH_CLIENT_ID: clientId,
    OAUTH_CLIENT_SECRET: clientSecret,
    JWKS_REFRESH_INTERVAL: refreshMs,
  } = settings
  const discovery = remoteDocument({
    url: async () => discoveryUrl,
    read: (json) => metadata.parse(json),
    refreshMs,
    log,
  })
  const client = {
    client_id: clientId,
    ...(clientSecret === undefined ? {} : { client_secret: clientSecret }),
  }
  const keys = remoteKeySet({ url: async () => (await discovery.get()).jwks_uri, refreshMs, log })

  return {
    async authorizationUrl({ state, nonce, challenge }) {
      const url = new URL((await discovery.get()).authorization_endpoint)
      const parameters = {
        response_type: 'code',
        client_id: clientId,
        redirect_uri: redirectUri,
        scope,
        state,
        nonce,
        code_challenge: challenge,
        code_challenge_method: 'S256',
      }
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
      return url.href
    },

    async exchange(code, verifier, nonce) {
      const { issuer, token_endpoint } = await discovery.get()
      const answer = await askForTokens(token_endpoint, {
        grant_type: 'authorization_code',
        code,
        redirect_uri: redirectUri,
        code_verifier: verifier,
        ...client,
      })
      const { payload } = await jwtVerify(answer.id_token ?? '', keys, {
        issuer: settings.ISSUER ?? issuer,
        audience: clientId,
        algorithms,
        clockTolerance: settings.AUTH_CLOCK_SKEW / 1000,
        requiredClaims: ['sub', 'exp'],
      })
      if (payload.nonce !== nonce) throw new Error('the id token belongs to another sign-in')
      return grantedTokens(answer)
    },

    async refresh(refreshToken) {
      const { token_endpoint } = await discovery.get()
      return grantedTokens(
        await askForTokens(token_endpoint, {
          grant_type: 'refresh_token',
          refresh_token: refreshToken,
          ...client,
        }),
      )
    },
  }
}

function grantedTokens({
  access_token,
  refresh_token,
  expires_in,
}: z.output<typeof tokenAnswer>): GrantedTokens {
  return { accessToken: access_token, refreshToken: refresh_token ?? null, expiresIn: expires_in }
}

/** What the provider says of a refusal stays here: it may quote the code. */
async function askForTokens(
  endpoint: string,
  form: Record<string, string>,
): Promise<z.output<typeof tokenAnswer>> {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { accept: 'application/json' },
    body: new URLSearchParams(form),
    redirect: 'error',
    signal: AbortSignal.timeout(exchangeTimeoutMs),
  })
  if (!response.ok) {
    await response.body?.cancel()
    const Failure = response.status === 400 || response.status === 401 ? TokenRefused : Error
    throw new Failure(`the token endpoint answered ${response.status}`)
  }
  return tokenAnswer.parse(JSON.parse(await boundedText(response)))
}

async function boundedText(response: Response): Promise<string> {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of response.body ?? []) {
    size += piece.byteLength
    if (size > maxAnswerBytes) throw new Error('the token endpoint answered more than it should')
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}
