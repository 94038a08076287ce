import type { JWTPayload } from 'jose'
import type { ExternalProfile } from '../sources/users.ts'
import { refuseToken } from './verified-token.ts'

const maxTextLength = 512
const maxListLength = 100
const knownRoles = ['admin', 'user', 'guest']

/**
 * What an external token says of its user (contract 1.4). Roles are the realm's and those of `clients`; roles that are none
 * of ours are left out. Claims that can't be stored count as absent.
 * @throws AppError `invalid_token` when the subject can't be used
 */
export function profileOf(payload: JWTPayload, clients: readonly string[]): ExternalProfile {
  const subject = text(payload.sub) ?? refuseToken("its claim 'sub' can't be used")
  const guest = payload.guest === true || payload.guest === 'true'
  const claimed = new Set(clients.flatMap((client) => rolesOf(field(payload.resource_access, client))))
  for (const role of rolesOf(payload.realm_access)) claimed.add(role)
  const roles = knownRoles.filter((role) => claimed.has(role))
  const effective = roles.length > 0 ? roles : [guest ? 'guest' : 'user']
  return {
    identityIssuer: String(payload.iss),
    identitySubject: subject,
    username: text(payload.preferred_username),
    email: text(payload.email),
    emailVerified: payload.email_verified === true,
    name: text(payload.name),
    picture: text(payload.picture),
    roles: effective,
    groups: texts(payload.groups).map((group) => group.replace(/^\//, '')),
    featureFlags: texts(payload.feature_flags),
    isGuest: guest || effective.every((role) => role === 'guest'),
    isAdmin: field(payload.attributes, 'is_admin') === true,
  }
}

function rolesOf(holder: unknown): string[] {
  return texts(field(holder, 'roles')).map((role) => role.toLowerCase())
}

function field(holder: unknown, name: string): unknown {
  return typeof holder === 'object' && holder !== null && Object.hasOwn(holder, name)
    ? (holder as Record<string, unknown>)[name]
    : undefined
}

function texts(claim: unknown): string[] {
  if (!Array.isArray(claim)) return []
  return claim.slice(0, maxListLength).flatMap((entry) => text(entry) ?? [])
}

function text(claim: unknown): string | null {
  if (typeof claim !== 'string' || claim === '' || claim.length > maxTextLength) return null
  return claim.includes('\u0000') || !claim.isWellFormed() ? null : claim
}
