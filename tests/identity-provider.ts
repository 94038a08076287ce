import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'

/** An OpenID provider on this machine: authorization code with PKCE, checked as RFC 7636 has it, and refresh tokens that work once. */
export interface IdentityProvider {
  readonly discoveryUrl: string
  /** What the next answer of the token endpoint has wrong. */
  fault: 'nonce' | 'audience' | 'token-endpoint' | 'access-token' | null
  /** What people do there: they sign in, and their browser comes back to the address that this gives. */
  signIn(authorizationUrl: string): string
  close(): Promise<void>
}

interface Grant {
  readonly challenge: string
  readonly redirectUri: string
  readonly nonce: string
}

const clientId = 'jan-client'

export async function startIdentityProvider(): Promise<IdentityProvider> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'key-1', alg: 'ES256', use: 'sig' }
  const grants = new Map<string, Grant>()
  const refreshTokens = new Set<string>()

  const sign = (claims: Record<string, unknown>) =>
    new SignJWT({ iss: issuer, sub: 'ada-at-provider', ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'key-1' })
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(privateKey)

  async function tokens(nonce: string | null) {
    const refreshToken = randomUUID()
    refreshTokens.add(refreshToken)
    const profile = {
      preferred_username: 'ada',
      email: 'ada@example.org',
      email_verified: true,
      name: 'Ada King Lovelace',
    }
    const audience = provider.fault === 'access-token' ? 'somebody else' : 'account'
    return {
      token_type: 'Bearer',
      expires_in: 300,
      access_token: await sign({ aud: audience, scope: 'openid profile email', ...profile }),
      refresh_token: refreshToken,
      ...(nonce === null
        ? {}
        : {
            id_token: await sign({
              aud: provider.fault === 'audience' ? 'another-client' : clientId,
              nonce: provider.fault === 'nonce' ? 'another' : nonce,
            }),
          }),
    }
  }

  async function answerToken(form: URLSearchParams) {
    if (form.get('client_id') !== clientId || provider.fault === 'token-endpoint') return null
    if (form.get('grant_type') === 'refresh_token') {
      return refreshTokens.delete(form.get('refresh_token') ?? '') ? tokens(null) : null
    }
    const grant = grants.get(form.get('code') ?? '')
    grants.delete(form.get('code') ?? '')
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    if (!grant || grant.challenge !== challenge || grant.redirectUri !== form.get('redirect_uri')) return null
    return tokens(grant.nonce)
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = ''
    for await (const piece of request.setEncoding('utf8')) body += piece
    const metadata = {
      issuer,
      jwks_uri: `${issuer}/certs`,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
    }
    const answer =
      request.url === '/realm/token'
        ? await answerToken(new URLSearchParams(body))
        : request.url === '/realm/certs'
          ? { keys: [jwk] }
          : metadata
    response.writeHead(answer ? 200 : 400, { 'content-type': 'application/json' })
    response.end(JSON.stringify(answer ?? { error: 'invalid_grant' }))
  }

  const server = createServer(
    (request, response) => void handle(request, response).catch(() => response.destroy()),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}/realm`
  const provider: IdentityProvider = {
    discoveryUrl: `${issuer}/.well-known/openid-configuration`,
    fault: null,
    signIn(authorizationUrl) {
      const asked = new URL(authorizationUrl).searchParams
      const expected = { response_type: 'code', client_id: clientId, code_challenge_method: 'S256' }
      for (const [name, value] of Object.entries(expected)) {
        if (asked.get(name) !== value) throw new Error(`${name} is ${asked.get(name)}`)
      }
      const code = randomUUID()
      const redirectUri = asked.get('redirect_uri') ?? ''
      grants.set(code, {
        challenge: asked.get('code_challenge') ?? '',
        redirectUri,
        nonce: asked.get('nonce') ?? '',
      })
      const back = new URL(redirectUri)
      back.searchParams.set('code', code)
      back.searchParams.set('state', asked.get('state') ?? '')
      return back.href
    },
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  return provider
}
