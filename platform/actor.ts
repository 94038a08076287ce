import { AppError } from './errors.ts'

/** How the caller proved who it is (`X-Auth-Method`); `internal` is the platform acting for itself. */
export type AuthMethod = 'jwt' | 'api_key' | 'internal'

/** The three roles of contract 1.6. */
export type Role = 'admin' | 'user' | 'guest'

/** The principal that a request acts for. Ids are ours: never the `sub` of an external issuer. */
export interface Actor {
  /** Our user id (UUID). Owner columns hold it. */
  readonly id: string
  /** The `sub` of the token, or our id for API keys. */
  readonly subject: string
  readonly method: AuthMethod
  readonly roles: readonly Role[]
  readonly scopes: readonly string[]
  readonly username: string | null
  readonly email: string | null
  readonly featureFlags: readonly string[]
  readonly isGuest: boolean
  readonly isAdmin: boolean
}

/** @throws AppError `missing_credentials` when nobody signed in. */
export function requireActor(actor: Actor | null): Actor {
  if (!actor) {
    throw new AppError('missing_credentials', 'Sign in first: send a bearer token or an API key (X-API-Key).')
  }
  return actor
}

/** @throws AppError `missing_credentials` or `admin_required` (contract 1.8). */
export function requireAdmin(actor: Actor | null): Actor {
  const known = requireActor(actor)
  if (!known.isAdmin) throw new AppError('admin_required', 'Only administrators may do this.')
  return known
}
