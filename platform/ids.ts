import { randomFillSync, randomUUID } from 'node:crypto'
import { AppError } from './errors.ts'

const digits = '0123456789abcdefghijklmnopqrstuvwxyz'
const crockford = '0123456789abcdefghjkmnpqrstvwxyz'
const base62 = `${digits}ABCDEFGHIJKLMNOPQRSTUVWXYZ`

/** The kinds of public id and the prefix that each carries (contract 3.1). */
const prefixes = {
  conversation: 'conv',
  item: 'msg',
  project: 'proj',
  completion: 'chatcmpl',
  request: 'req',
  share: 'share',
  prompt: 'ptpl',
  memory: 'mem',
  settings: 'uset',
  media: 'jan',
} as const

/** A kind of object that has a public id. */
export type IdKind = keyof typeof prefixes

const lengths: Partial<Record<IdKind, number>> = { item: 24, completion: 24, request: 24 }

/** A fresh public id: the kind's prefix, `_` (`-` for completions, as OpenAI's) and random `[0-9a-z]`: 16 of them, 24 for items; a ULID for media. */
export function newId(kind: IdKind): string {
  if (kind === 'media') return `jan_${newUlid()}`
  return `${prefixes[kind]}${kind === 'completion' ? '-' : '_'}${randomDigits(lengths[kind] ?? 16)}`
}

/** A fresh UUID, for users, sessions and API keys. */
export const newUuid = randomUUID

/** A ULID in lower case: 10 characters of the time in milliseconds and 16 random ones, in Crockford's base 32. */
export function newUlid(now: number = Date.now()): string {
  let time = ''
  for (let left = now, place = 0; place < 10; place += 1, left = Math.floor(left / 32))
    time = crockford[left % 32] + time
  return time + randomText(crockford, 16)
}

/** `length` characters of `[0-9a-z]` from the system's randomness, without modulo bias. */
export function randomDigits(length: number): string {
  return randomText(digits, length)
}

/** What a public link ends with: 22 of `[0-9A-Za-z]` (contract 2.11), which can no more be guessed than a UUID. */
export function newShareSlug(): string {
  return randomText(base62, 22)
}

/** Whether a public link could end with this. */
export function isShareSlug(slug: string): boolean {
  return /^[0-9A-Za-z]{22}$/.test(slug)
}

function randomText(alphabet: string, length: number): string {
  // bytes from the largest multiple of the alphabet's size on would favour its first characters
  const unbiasedBytes = 256 - (256 % alphabet.length)
  let out = ''
  while (out.length < length) {
    const byte = randomByte()
    if (byte < unbiasedBytes) out += alphabet[byte % alphabet.length]
  }
  return out
}

/** Fetched in one piece: a call into the system for each id is dearer than everything else about it. */
const pool = new Uint8Array(4096)
let used = pool.length

function randomByte(): number {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  return pool[used++] as number
}

const shapes: Partial<Record<IdKind, RegExp>> = {
  conversation: /^conv_[0-9a-z]{16}$/,
  item: /^msg_[0-9A-Za-z]{16,64}$/,
  project: /^proj_[0-9a-z]{16}$/,
  share: /^share_[0-9a-z]{16}$/,
  memory: /^mem_[0-9a-z]{16}$/,
  media: /^jan_[0-9a-z]{26}$/,
  prompt: /^ptpl_[0-9a-z]{16}$/,
}

/** Whether `id` has the form that ids of this kind have. */
export function hasIdShape(kind: IdKind, id: string): boolean {
  return shapes[kind]?.test(id) ?? false
}

/** @throws AppError `invalid_id` naming `param` when `id` can't be an id of this kind (contract 3.1). */
export function assertIdShape(kind: IdKind, id: string, param: string): void {
  if (!hasIdShape(kind, id)) {
    throw new AppError(
      'invalid_id',
      `'${id.slice(0, 80)}' is not the id of a ${kind}: those look like ${prefixes[kind]}_….`,
      { param },
    )
  }
}
