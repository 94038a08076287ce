import { memoryChannel } from '../../../platform/memory-changes.ts'
import type { Notifications } from '../../../platform/notifications.ts'
import type { ProfileRow, VectorSource } from '../sources/vectors.ts'
import type { RankingMetrics } from './ranking-metrics.ts'
import { vectorOf } from './vector.ts'

/** A memory as ranking sees it. */
export interface ProfileEntry extends Omit<ProfileRow, 'embedding'> {
  /** Of length 1; null where there is none yet. */
  readonly vector: Float32Array | null
}

/** All of a person's memories, ready to be ranked. */
export type Profile = readonly ProfileEntry[]

const maxBytes = 32 * 1024 * 1024
/** What an entry takes beside its vector, about. */
const entryBytes = 300

interface Held {
  readonly profile: Promise<Profile>
  bytes: number
}

/**
 * Profiles of those who asked last, up to a bound in bytes. One is dropped when its owner's memories change, in whichever
 * process that is; while no news can arrive nothing is kept.
 */
export class ProfileCache {
  readonly #source: VectorSource
  readonly #notifications: Pick<Notifications, 'connected' | 'follow' | 'onChange'>
  readonly #held = new Map<string, Held>()
  readonly #unfollow: readonly (() => void)[]
  readonly #maxBytes: number
  readonly #looked: RankingMetrics['looked']
  #bytes = 0

  constructor(
    source: VectorSource,
    notifications: Pick<Notifications, 'connected' | 'follow' | 'onChange'>,
    looked: RankingMetrics['looked'] = () => undefined,
    bound = maxBytes,
  ) {
    this.#looked = looked
    this.#source = source
    this.#notifications = notifications
    this.#maxBytes = bound
    this.#unfollow = [
      notifications.follow(memoryChannel, (ownerId) => this.drop(ownerId)),
      notifications.onChange(() => {
        for (const ownerId of [...this.#held.keys()]) this.drop(ownerId)
      }),
    ]
  }

  async of(ownerId: string): Promise<Profile> {
    const known = this.#held.get(ownerId)
    this.#looked(known !== undefined)
    if (known) {
      this.#held.delete(ownerId)
      this.#held.set(ownerId, known)
      return known.profile
    }
    const loading: Held = { profile: this.#load(ownerId), bytes: 0 }
    if (!this.#notifications.connected) return loading.profile
    this.#held.set(ownerId, loading)
    try {
      const profile = await loading.profile
      if (this.#held.get(ownerId) === loading) this.#account(loading, profile)
      return profile
    } catch (error) {
      if (this.#held.get(ownerId) === loading) this.drop(ownerId)
      throw error
    }
  }

  /** Forgets an owner's profile: it is not true any more. */
  drop(ownerId: string): void {
    this.#bytes -= this.#held.get(ownerId)?.bytes ?? 0
    this.#held.delete(ownerId)
  }

  close(): void {
    for (const unfollow of this.#unfollow) unfollow()
    this.#held.clear()
  }

  async #load(ownerId: string): Promise<Profile> {
    const rows = await this.#source.profile(ownerId)
    return rows.map(({ embedding, ...entry }) => ({ ...entry, vector: embedding && vectorOf(embedding) }))
  }

  #account(held: Held, profile: Profile): void {
    held.bytes = profile.reduce((sum, { vector }) => sum + entryBytes + (vector?.byteLength ?? 0), 0)
    this.#bytes += held.bytes
    for (const ownerId of this.#held.keys()) {
      if (this.#bytes <= this.#maxBytes) return
      this.drop(ownerId)
    }
  }
}
