import type { Actor, AuthMethod, Role } from '../../../platform/actor.ts'
import type { User } from '../entities.ts'

/** What callers from outside prove themselves by. */
type Credential = Extract<AuthMethod, 'jwt' | 'api_key'>

/** How the caller proved that it speaks for a user. */
export interface Proof<Method extends AuthMethod = Credential> {
  readonly method: Method
  readonly subject: string
  readonly scopes: readonly string[]
}

/** An actor that came from outside. */
export type Principal = Actor & { readonly method: Credential }

/** The actor that a user is. */
export function principalOf<Method extends AuthMethod>(
  user: User,
  { method, subject, scopes }: Proof<Method>,
): Actor & { readonly method: Method } {
  return {
    id: user.id,
    subject,
    method,
    scopes,
    roles: rolesOf(user),
    username: user.username ?? null,
    email: user.email ?? null,
    featureFlags: user.featureFlags,
    isGuest: user.isGuest,
    isAdmin: isAdministrator(user),
  }
}

/** The roles of a user that are roles of ours. */
export function rolesOf({ roles }: User): Role[] {
  const held = new Set(roles.map((role) => role.toLowerCase()))
  return (['admin', 'user', 'guest'] as const).filter((role) => held.has(role))
}

/** Contract 1.8: the role, the attribute or the flag. */
export function isAdministrator(user: User): boolean {
  return rolesOf(user).includes('admin') || user.isAdmin || user.featureFlags.includes('admin_access')
}

/** Whether a user may sign in at all. */
export function isActive({ disabledAt, deletedAt }: User): boolean {
  return disabledAt == null && deletedAt == null
}
