import { AppError } from '../errors.ts'

const name = '[a-z0-9_-][a-z0-9._-]{0,199}'
const wellFormed = new RegExp(`^${name}(/${name}){0,7}$`)

/**
 * Holds a key against its form: no key leads out of the store, hides in it, or reads differently to file systems and buckets.
 * @throws AppError `invalid_parameter`
 */
export function assertKey(key: string): void {
  if (wellFormed.test(key)) return
  throw new AppError('invalid_parameter', 'This can’t be the key of a stored object.', { param: 'key' })
}
