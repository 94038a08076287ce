import type { Actor, AuthMethod, Role } from '../../../platform/actor.ts'
import type { User } from '../entities.ts'

/** How the caller proved that it speaks for a user. */
export interface Proof {
  readonly method: Extract<AuthMethod, 'jwt' | 'api_key'>
  readonly subject: string
  readonly scopes: readonly string[]
}

/** An actor that came from outside. */
export type Principal = Actor & { readonly method: Proof['method'] }

/** The actor that a user is. */
export function principalOf(user: User, { method, subject, scopes }: Proof): Principal {
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
