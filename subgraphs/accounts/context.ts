import type { RequestContext } from '../../platform/context.ts'
import type { SubgraphContext } from '../../platform/subgraph.ts'
import { type ExportService, exportService } from './exports/service.ts'
import { exportSource } from './exports/sources.ts'
import type { BuiltinIssuer } from './issuers/builtin-issuer.ts'
import type { AccountsProcess } from './process.ts'
import { type ApiKeyService, apiKeyService } from './services/api-keys.ts'
import { type CredentialService, credentialService } from './services/credentials.ts'
import { type ErasureService, erasureService } from './services/erasures.ts'
import { type KeyValidationService, keyValidationService } from './services/key-validation.ts'
import { type SessionService, sessionService } from './services/sessions.ts'
import { type SignInService, signInService } from './services/sign-in.ts'
import { type UserService, userService } from './services/users.ts'
import { type SettingsService, settingsService } from './settings/service.ts'
import { settingsSource } from './settings/sources.ts'
import type { UsageSource } from './sources/usage.ts'
import { userSource } from './sources/users.ts'

/** The scope of one request in this subgraph. */
export interface AccountsContext extends SubgraphContext {
  readonly users: UserService
  readonly sessions: SessionService
  readonly apiKeys: ApiKeyService
  readonly credentials: CredentialService
  readonly signIn: SignInService
  readonly keyValidation: KeyValidationService
  readonly usage: UsageSource
  readonly settings: SettingsService
  readonly erasures: ErasureService
  readonly exports: ExportService
  /** Null when the built-in issuer is switched off. */
  readonly issuer: BuiltinIssuer | null
}

export function accountsContext(request: RequestContext, accounts: AccountsProcess): AccountsContext {
  const { database, settings, sources, issuer, verifiers, signIn, echo, uses } = accounts
  const { actor, client } = request
  const users = userSource(database)
  const credentials = credentialService({
    source: sources.credentials,
    users,
    verifiers,
    uses,
    adminBypass: settings.ADMIN_BYPASS,
  })
  const externalSignIn = signInService(signIn, credentials, users, request.log)
  return {
    request,
    issuer,
    credentials,
    signIn: externalSignIn,
    keyValidation: keyValidationService(settings.SERVICE_API_KEY, credentials, users),
    usage: sources.usage,
    settings: settingsService(actor, settingsSource(database)),
    users: userService(actor, users, echo),
    exports: exportService(actor, exportSource(database)),
    erasures: erasureService(actor, sources.erasures, echo),
    apiKeys: apiKeyService({ actor, source: sources.apiKeys, uses, echo, settings }),
    sessions: sessionService({
      source: sources.sessions,
      issuer,
      echo,
      client,
      refreshAtProvider: signIn.server ? externalSignIn.refresh : null,
      refreshLifeMs: settings.REFRESH_TOKEN_TTL,
      signatureOf: credentials.signatureOf,
    }),
    clearLoaders: users.clearLoaders,
  }
}
