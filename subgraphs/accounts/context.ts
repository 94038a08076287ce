import type { RequestContext } from '../../platform/context.ts'
import type { SubgraphContext } from '../../platform/subgraph.ts'
import type { BuiltinIssuer } from './issuers/builtin-issuer.ts'
import type { AccountsProcess } from './process.ts'
import { type ApiKeyService, apiKeyService } from './services/api-keys.ts'
import { type CredentialService, credentialService } from './services/credentials.ts'
import { type SessionService, sessionService } from './services/sessions.ts'
import { type UserService, userService } from './services/users.ts'
import type { UsageSource } from './sources/usage.ts'
import { userSource } from './sources/users.ts'

/** The scope of one request in this subgraph. */
export interface AccountsContext extends SubgraphContext {
  readonly users: UserService
  readonly sessions: SessionService
  readonly apiKeys: ApiKeyService
  readonly credentials: CredentialService
  readonly usage: UsageSource
  /** Null when the built-in issuer is switched off. */
  readonly issuer: BuiltinIssuer | null
}

export function accountsContext(request: RequestContext, accounts: AccountsProcess): AccountsContext {
  const { database, settings, sources, issuer, verifiers, echo, uses } = accounts
  const { actor, client } = request
  const users = userSource(database)
  const credentials = credentialService({
    source: sources.credentials,
    users,
    verifiers,
    uses,
    adminBypass: settings.ADMIN_BYPASS,
  })
  return {
    request,
    issuer,
    credentials,
    usage: sources.usage,
    users: userService(actor, users, echo),
    apiKeys: apiKeyService({ actor, source: sources.apiKeys, uses, echo, settings }),
    sessions: sessionService({
      source: sources.sessions,
      issuer,
      echo,
      client,
      refreshLifeMs: settings.REFRESH_TOKEN_TTL,
      signatureOf: credentials.signatureOf,
    }),
    clearLoaders: users.clearLoaders,
  }
}
