import { decodeJwt, jwtVerify } from 'jose'
import type { Logger } from '../../../platform/log.ts'
import type { AccountsSettings } from '../config.ts'
import { profileOf } from './external-profile.ts'
import { remoteDocument } from './remote-document.ts'
import { remoteKeySet } from './remote-key-set.ts'
import {
  externalTokenKey,
  refuseToken,
  rethrowJoseError,
  scopesOf,
  type TokenVerifier,
} from './verified-token.ts'

/** Signatures that are accepted (contract 1.1); never `none`, never a shared secret. */
const algorithms = ['RS256', 'RS384', 'RS512', 'ES256', 'PS256', 'EdDSA']

/** Where roles of clients are read from while `CLIENT` is not set (contract 1.5). */
const defaultClients = ['jan-client', 'backend']

interface Discovery {
  readonly issuer: string
  readonly jwksUrl: string
}

/** The external OIDC issuer that is configured: its tokens are verified by its own published keys. */
export function externalIssuer(settings: AccountsSettings, log: Logger): TokenVerifier {
  const { OIDC_DISCOVERY_URL, JWKS_URL, ISSUER, CLIENT } = settings
  const audience = settings.AUDIENCE ?? settings.ACCOUNT
  const roleClients = [...(CLIENT.length > 0 ? CLIENT : defaultClients), audience]
  const refreshMs = settings.JWKS_REFRESH_INTERVAL
  const discovery = remoteDocument({
    url: async () => OIDC_DISCOVERY_URL ?? '',
    read: readDiscovery,
    refreshMs,
    log,
  })
  const issuer = async () => ISSUER ?? (await discovery.get()).issuer
  const keys = remoteKeySet({
    url: async () => JWKS_URL ?? (await discovery.get()).jwksUrl,
    refreshMs,
    log,
  })

  return {
    accepts: async (claimed) => claimed === (await issuer()),

    async verify(token) {
      const { payload } = await jwtVerify(token, keys, {
        issuer: await issuer(),
        algorithms,
        clockTolerance: settings.AUTH_CLOCK_SKEW / 1000,
        requiredClaims: ['sub', 'exp'],
        // a token that names no audience at all is tolerated (contract 1.4)
        ...(decodeJwt(token).aud === undefined ? {} : { audience }),
      }).catch(rethrowJoseError)
      if (CLIENT.length > 0 && payload.azp !== undefined && !CLIENT.includes(String(payload.azp))) {
        refuseToken('it was made for another client')
      }
      const profile = profileOf(payload, roleClients)
      const { identityIssuer, identitySubject } = profile
      return {
        identity: { method: 'oidc', issuer: identityIssuer, subject: identitySubject },
        tokenKey: externalTokenKey(identityIssuer, payload.jti, token),
        sessionId: null,
        expiresAt: new Date(Number(payload.exp) * 1000),
        scopes: scopesOf(payload.scope),
        profile,
      }
    },
  }
}

function readDiscovery(json: unknown): Discovery {
  const { issuer, jwks_uri } = json as { issuer?: unknown; jwks_uri?: unknown }
  if (typeof issuer === 'string' && typeof jwks_uri === 'string') return { issuer, jwksUrl: jwks_uri }
  throw new Error('this is no discovery document: it lacks issuer or jwks_uri')
}
