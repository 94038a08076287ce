import { jwtVerify, SignJWT } from 'jose'
import { newUuid } from '../../../platform/ids.ts'
import type { User } from '../entities.ts'
import { type KeyRing, signingAlgorithm } from './key-ring.ts'
import { refuseToken, rethrowJoseError, scopesOf, type TokenVerifier } from './verified-token.ts'

/** A signed access token. */
export interface AccessToken {
  readonly token: string
  readonly expiresAt: Date
  /** Seconds. */
  readonly expiresIn: number
}

/** The platform's own issuer of access tokens. */
export interface BuiltinIssuer extends TokenVerifier {
  /** Makes sure that a token can be signed, before anything is done that can't be undone. */
  prepare(): Promise<void>
  issue(user: User, sessionId: string): Promise<AccessToken>
  /** The JSON Web Key Set. */
  jwks(): Promise<{ keys: object[] }>
  /** RFC 8414 metadata. There is no authorization endpoint: sessions begin by guest login. */
  metadata(): object
}

/** What the issuer is made of. */
export interface BuiltinIssuerOptions {
  readonly keys: KeyRing
  /** The public base URL: the `iss` of every token. */
  readonly issuer: string
  readonly audience: string
  readonly accessLifeMs: number
  readonly clockSkewMs: number
}

const sessionScope = 'openid profile email'

export function builtinIssuer(options: BuiltinIssuerOptions): BuiltinIssuer {
  const { keys, issuer, audience, accessLifeMs, clockSkewMs } = options
  const accessLife = Math.floor(accessLifeMs / 1000)
  return {
    accepts: async (claimed) => claimed === issuer,

    async prepare() {
      await keys.signer()
    },

    async issue(user, sessionId) {
      const { kid, privateKey } = await keys.signer()
      const now = Math.floor(Date.now() / 1000)
      const token = await new SignJWT({ ...profileClaims(user), sid: sessionId, scope: sessionScope })
        .setProtectedHeader({ alg: signingAlgorithm, kid, typ: 'JWT' })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(user.identitySubject)
        .setJti(newUuid())
        .setIssuedAt(now)
        .setExpirationTime(now + accessLife)
        .sign(privateKey)
      return { token, expiresIn: accessLife, expiresAt: new Date((now + accessLife) * 1000) }
    },

    async verify(token) {
      const { payload } = await jwtVerify(
        token,
        async ({ kid }) => (await keys.verifier(kid ?? '')) ?? refuseToken('its key is not known'),
        {
          issuer,
          audience,
          algorithms: [signingAlgorithm],
          clockTolerance: clockSkewMs / 1000,
          requiredClaims: ['sub', 'exp', 'jti', 'sid'],
        },
      ).catch(rethrowJoseError)
      return {
        identity: { method: 'builtin', issuer: 'builtin', subject: String(payload.sub) },
        tokenKey: String(payload.jti),
        sessionId: String(payload.sid),
        expiresAt: new Date(Number(payload.exp) * 1000),
        scopes: scopesOf(payload.scope),
        profile: null,
      }
    },

    jwks: async () => ({ keys: await keys.publicKeys() }),

    metadata: () => ({
      issuer,
      jwks_uri: `${issuer}/.well-known/jwks.json`,
      revocation_endpoint: `${issuer}/auth/revoke`,
      end_session_endpoint: `${issuer}/auth/logout`,
      userinfo_endpoint: `${issuer}/auth/me`,
      response_types_supported: [],
      grant_types_supported: ['refresh_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [signingAlgorithm],
      scopes_supported: sessionScope.split(' '),
      claims_supported: [
        'sub',
        'iss',
        'aud',
        'exp',
        'iat',
        'jti',
        'sid',
        'preferred_username',
        'email',
        'name',
        'realm_access',
        'groups',
        'feature_flags',
        'guest',
        'pid',
        'scope',
      ],
    }),
  }
}

/** Contract 1.4. */
function profileClaims(user: User): Record<string, unknown> {
  return {
    typ: 'Bearer',
    pid: user.id,
    preferred_username: user.username,
    email: user.email,
    email_verified: user.emailVerified,
    ...(user.name ? { name: user.name } : {}),
    realm_access: { roles: user.roles },
    groups: user.groups,
    feature_flags: user.featureFlags,
    guest: user.isGuest,
  }
}
