import type { DepartmentResolvers } from '../../platform/merge-resolvers.ts'
import type { Resolvers } from './schema.generated.ts'
import { statusOf } from './services/api-keys.ts'
import { isAdministrator, rolesOf } from './services/principal.ts'

export const resolvers = {
  Query: {
    me: (_, __, { users }) => users.me(),
    apiKeys: (_, __, { apiKeys }) => apiKeys.list(),
    verifyCredentials: (_, { input }, { credentials }) => credentials.verify(input),
    apiKeyOwner: (_, { input }, { keyValidation }) =>
      keyValidation.ownerOf(input.serviceKey ?? null, input.apiKey),
    jwks: (_, __, { issuer }) => issuer?.jwks() ?? null,
    openidConfiguration: (_, __, { issuer }) => issuer?.metadata() ?? null,
  },
  Mutation: {
    guestLogin: (_, __, { sessions }) => sessions.guestLogin(),
    refreshSession: (_, { input }, { sessions }) => sessions.refresh(input.refreshToken),
    startSignIn: (_, { redirectUrl }, { signIn }) => signIn.start(redirectUrl ?? null),
    finishSignIn: async (_, { input }, { signIn }) => ({ location: await signIn.finish(input) }),
    revokeToken: async (_, { input }, { sessions }) => {
      await sessions.revoke(input.token)
      return { revoked: true }
    },
    logout: async (_, { input }, { sessions }) => {
      await sessions.logout(input.token ?? null)
      return { loggedOut: true }
    },
    upgradeGuest: (_, { input }, { users }) => users.upgrade(input),
    createApiKey: (_, { input }, { apiKeys }) => apiKeys.create(input),
    revokeApiKey: (_, { id }, { apiKeys }) => apiKeys.revoke(id),
    recordUsage: (_, { records }, { usage }) => usage.insert(records),
  },
  User: {
    __resolveReference: ({ id }, { users }) => users.byId(id),
    name: ({ name, username }) => name ?? username ?? null,
    roles: (user) => rolesOf(user).map((role) => role.toUpperCase() as Uppercase<typeof role>),
    isAdmin: isAdministrator,
  },
  ApiKey: {
    status: statusOf,
  },
  SessionTokens: {
    tokenType: () => 'Bearer',
  },
} satisfies DepartmentResolvers<Resolvers>
