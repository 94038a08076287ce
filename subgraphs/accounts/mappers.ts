import type { ApiKey, User } from './entities.ts'
import type { Verified } from './services/credentials.ts'
import type { IssuedTokens } from './services/sessions.ts'

/** What resolvers hand on as a `User`. */
export type UserModel = User

/** What resolvers hand on as an `ApiKey`. */
export type ApiKeyModel = ApiKey

/** What resolvers hand on as `SessionTokens`. */
export type SessionTokensModel = IssuedTokens

/** What resolvers hand on as `VerifiedCredentials`. */
export type VerifiedCredentialsModel = Verified
