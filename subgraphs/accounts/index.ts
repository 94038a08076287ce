import { mergeResolvers } from '../../platform/merge-resolvers.ts'
import { defineSubgraph } from '../../platform/subgraph.ts'
import { accountsConfig } from './config.ts'
import { accountsContext } from './context.ts'
import { ApiKey, SigningKey, User } from './entities.ts'
import { accounts as createAccounts } from './migrations/0001-accounts.ts'
import { signIns } from './migrations/0002-sign-ins.ts'
import { userSettings } from './migrations/0003-user-settings.ts'
import { startAccounts } from './process.ts'
import { resolvers } from './resolvers.ts'
import type { Resolvers } from './schema.generated.ts'
import { settingsResolvers } from './settings/resolvers.ts'

/** Users, guests, sessions, API keys, the built-in issuer of tokens, and what was used. */
export const accounts = defineSubgraph({
  name: 'accounts',
  home: import.meta.url,
  resolvers: mergeResolvers(resolvers, settingsResolvers) satisfies Resolvers,
  persistence: { entities: [User, ApiKey, SigningKey], migrations: [createAccounts, signIns, userSettings] },
  config: accountsConfig,
  async start(services) {
    const running = await startAccounts(services)
    return {
      createContext: (request) => accountsContext(request, running),
      notices: () => running.notices,
      stop: () => running.stop(),
    }
  },
})
