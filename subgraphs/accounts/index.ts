import { mergeResolvers } from '../../platform/merge-resolvers.ts'
import { defineSubgraph } from '../../platform/subgraph.ts'
import { accountsConfig } from './config.ts'
import { accountsContext } from './context.ts'
import { ApiKey, SigningKey, User } from './entities.ts'
import { erasureResolvers } from './erasures/resolvers.ts'
import { exportResolvers } from './exports/resolvers.ts'
import { accounts as createAccounts } from './migrations/0001-accounts.ts'
import { signIns } from './migrations/0002-sign-ins.ts'
import { userSettings } from './migrations/0003-user-settings.ts'
import { erasures } from './migrations/0004-erasures.ts'
import { startAccounts } from './process.ts'
import { resolvers } from './resolvers.ts'
import type { Resolvers } from './schema.generated.ts'
import { settingsResolvers } from './settings/resolvers.ts'

/** Users, guests, sessions, API keys, the built-in issuer of tokens, and what was used. */
export const accounts = defineSubgraph({
  name: 'accounts',
  home: import.meta.url,
  resolvers: mergeResolvers(
    resolvers,
    settingsResolvers,
    erasureResolvers,
    exportResolvers,
  ) satisfies Resolvers,
  persistence: {
    entities: [User, ApiKey, SigningKey],
    migrations: [createAccounts, signIns, userSettings, erasures],
  },
  config: accountsConfig,
  async start(services) {
    const running = await startAccounts(services)
    return {
      createContext: (request) => accountsContext(request, running),
      notices: () => running.notices,
      erase: (userId) => running.sources.erasures.erase(userId),
      stop: () => running.stop(),
    }
  },
})
