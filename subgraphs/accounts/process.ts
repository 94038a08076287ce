import type { SubgraphDatabase } from '../../platform/db.ts'
import type { SubgraphServices } from '../../platform/subgraph.ts'
import {
  type AccountsSettings,
  assertDistinctIssuers,
  assertGuardedProduction,
  hasBuiltinIssuer,
  hasExternalIssuer,
} from './config.ts'
import { authorizationServer } from './issuers/authorization-server.ts'
import { type BuiltinIssuer, builtinIssuer } from './issuers/builtin-issuer.ts'
import { externalIssuer } from './issuers/external-issuer.ts'
import { keyRing } from './issuers/key-ring.ts'
import type { TokenVerifier } from './issuers/verified-token.ts'
import { ensureFirstAdministrator } from './services/first-administrator.ts'
import { type KeyUses, keyUses } from './services/key-uses.ts'
import { type RevocationEcho, revocationEcho } from './services/revocation-echo.ts'
import type { SignInParts } from './services/sign-in.ts'
import { type ApiKeySource, apiKeySource } from './sources/api-keys.ts'
import { type CredentialSource, credentialSource } from './sources/credentials.ts'
import { type ErasureSource, erasureSource } from './sources/erasures.ts'
import { firstAdministratorSource } from './sources/first-administrator.ts'
import { type SessionSource, sessionSource } from './sources/sessions.ts'
import { signInSource } from './sources/sign-ins.ts'
import { signingKeySource } from './sources/signing-keys.ts'
import { type UsageSource, usageSource } from './sources/usage.ts'

/** The part of accounts that lives as long as the process: its issuers, its keys, what it has yet to write. */
export interface AccountsProcess {
  readonly database: SubgraphDatabase
  readonly settings: AccountsSettings
  readonly sources: {
    readonly sessions: SessionSource
    readonly apiKeys: ApiKeySource
    readonly credentials: CredentialSource
    readonly usage: UsageSource
    readonly erasures: ErasureSource
  }
  readonly issuer: BuiltinIssuer | null
  readonly verifiers: readonly TokenVerifier[]
  readonly signIn: SignInParts
  readonly echo: RevocationEcho
  readonly uses: KeyUses
  /** What the person who starts the platform must be told once. */
  readonly notices: readonly string[]
  stop(): Promise<void>
}

const sweepMs = 3_600_000

/** @throws ConfigError when the external issuer would be taken for the built-in one */
export async function startAccounts(services: SubgraphServices<AccountsSettings>): Promise<AccountsProcess> {
  const { database, settings, notifications, log, publicUrl } = services
  assertDistinctIssuers(settings, publicUrl)
  assertGuardedProduction(settings, services.platform.ENVIRONMENT)
  const issuer = hasBuiltinIssuer(settings) ? ownIssuer(services) : null
  await issuer?.prepare()
  const sources = {
    sessions: sessionSource(database),
    apiKeys: apiKeySource(database),
    credentials: credentialSource(database),
    usage: usageSource(database),
    erasures: erasureSource(database),
  }
  const signIn = signInParts(services)
  const echo = revocationEcho(notifications)
  const uses = keyUses(sources.apiKeys, log)
  const notices = await ensureFirstAdministrator(firstAdministratorSource(database), settings)
  const sweeper = setInterval(() => {
    Promise.all([sources.sessions.sweep(), signIn.source.sweep(), sources.erasures.sweep()]).catch(
      (error: unknown) => log.warn({ err: error }, 'old sessions and deleted users could not be removed'),
    )
  }, sweepMs).unref()

  return {
    database,
    settings,
    sources,
    issuer,
    verifiers: [
      ...(issuer ? [issuer] : []),
      ...(hasExternalIssuer(settings) ? [externalIssuer(settings, log)] : []),
    ],
    signIn,
    echo,
    uses,
    notices,
    async stop() {
      clearInterval(sweeper)
      echo.close()
      await uses.stop()
    },
  }
}

function signInParts({
  database,
  settings,
  secrets,
  log,
  publicUrl,
}: SubgraphServices<AccountsSettings>): SignInParts {
  const { OIDC_DISCOVERY_URL, OAUTH_REDIRECT_URI, OAUTH_ALLOWED_REDIRECTS } = settings
  const redirectUri = OAUTH_REDIRECT_URI ?? `${publicUrl}/auth/callback`
  return {
    source: signInSource(database),
    server: OIDC_DISCOVERY_URL ? authorizationServer(OIDC_DISCOVERY_URL, redirectUri, settings, log) : null,
    secrets,
    homeUrl: `${publicUrl}/`,
    redirectOrigins: new Set([new URL(publicUrl).origin, ...OAUTH_ALLOWED_REDIRECTS]),
  }
}

function ownIssuer({
  database,
  settings,
  secrets,
  log,
  publicUrl,
}: SubgraphServices<AccountsSettings>): BuiltinIssuer {
  const { ACCESS_TOKEN_TTL, AUTH_CLOCK_SKEW, SIGNING_KEY_ROTATION } = settings
  const keys = keyRing({
    source: signingKeySource(database),
    secrets,
    log,
    maxAgeMs: SIGNING_KEY_ROTATION,
    tokenLifeMs: ACCESS_TOKEN_TTL + AUTH_CLOCK_SKEW,
  })
  return builtinIssuer({
    keys,
    issuer: publicUrl,
    audience: settings.AUDIENCE ?? settings.ACCOUNT,
    accessLifeMs: ACCESS_TOKEN_TTL,
    clockSkewMs: AUTH_CLOCK_SKEW,
  })
}
