import type { Actor } from '../../platform/actor.ts'
import type { ApiKey, User } from './entities.ts'
import type { SessionRow, UsageRow } from './exports/sources.ts'
import type { Verified } from './services/credentials.ts'
import type { IssuedTokens } from './services/sessions.ts'
import type { UserSettings } from './settings/service.ts'

/** What resolvers hand on as a `User`. */
export type UserModel = User

/** What resolvers hand on as an `ApiKey`. */
export type ApiKeyModel = ApiKey

/** What resolvers hand on as `SessionTokens`. */
export type SessionTokensModel = IssuedTokens

/** What resolvers hand on as `VerifiedCredentials`. */
export type VerifiedCredentialsModel = Verified

/** What resolvers hand on as `UserSettings`. */
export type UserSettingsModel = UserSettings

/** What resolvers hand on as a `UserActor`. */
export type UserActorModel = Actor

/** What resolvers hand on as a `UsageRecord`. */
export type UsageRecordModel = UsageRow

/** What resolvers hand on as a `Session`. */
export type SessionModel = SessionRow
