import { type Actor, requireActor } from '../../../platform/actor.ts'
import { AppError } from '../../../platform/errors.ts'
import { optionalText } from '../../../platform/text.ts'
import type { User } from '../entities.ts'
import type { UpgradeGuestInput } from '../schema.generated.ts'
import type { UserSource } from '../sources/users.ts'
import { isActive, principalOf } from './principal.ts'
import type { RevocationEcho } from './revocation-echo.ts'

/** What addresses look like to us: one @, a dotted domain, no blanks. Whether one works, only a message to it can tell. */
const emailShape = /^[^\s@<>"(),:;[\]\\]{1,64}@[^\s@<>"(),:;[\]\\.]+(\.[^\s@<>"(),:;[\]\\.]+)+$/
const maxEmailLength = 254

/** Users as they see themselves. */
export function userService(actor: Actor | null, users: UserSource, echo: RevocationEcho) {
  return {
    /** @throws AppError `missing_credentials`, `invalid_token` when the user is gone */
    async me(): Promise<User> {
      const user = await users.byId(requireActor(actor).id)
      if (!user) throw new AppError('invalid_token', 'The user of this credential does not exist any more.')
      return user
    },

    /** Others than oneself can be seen by administrators only. */
    async byId(id: string): Promise<User | null> {
      return actor && (actor.id === id || actor.isAdmin) ? users.byId(id) : null
    },

    /** For services that act in a user's name: the platform lets nobody else ask. */
    async actorOf(id: string): Promise<Actor | null> {
      const user = isUuid(id) ? await users.byId(id) : null
      if (!user || !isActive(user)) return null
      return principalOf(user, { method: 'internal', subject: user.id, scopes: [] })
    },

    /**
     * Makes the calling guest an ordinary user that keeps everything it owns (contract 1.2).
     * @throws AppError `permission_denied` for API keys and those who are no guests, `already_exists`
     */
    async upgrade(input: UpgradeGuestInput): Promise<User> {
      const { id, method } = requireActor(actor)
      if (method === 'api_key')
        throw new AppError('permission_denied', 'An API key can’t upgrade its user: send an access token.')
      const fields = {
        email: checkedEmail(input.email),
        username: optionalText(input.username?.trim(), { param: 'username', max: 64, singleLine: true }),
        name: optionalText(input.name?.trim(), { param: 'full_name', max: 200, singleLine: true }),
      }
      const upgraded = await echo.after(
        `user:${id}`,
        () => users.upgrade(id, fields),
        (user) => user !== null,
      )
      if (!upgraded) throw new AppError('permission_denied', 'Only guests can be upgraded.')
      return upgraded
    },
  }
}

/** The service of one request. */
export type UserService = ReturnType<typeof userService>

/** PostgreSQL takes nothing else for one. */
function isUuid(id: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)
}

function checkedEmail(given: string): string {
  const email = given.trim()
  if (email === '')
    throw new AppError('missing_parameter', "Parameter 'email' is required.", { param: 'email' })
  if (
    email.length > maxEmailLength ||
    !emailShape.test(email) ||
    !email.isWellFormed() ||
    email.includes('\u0000')
  ) {
    throw new AppError('invalid_parameter', 'email is not the address of anybody.', { param: 'email' })
  }
  return email
}
