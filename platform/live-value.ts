import { randomUUID } from 'node:crypto'
import type { Notifications } from './notifications.ts'

/** What a live value is made of. */
export interface LiveValueParts<Value> {
  /** Reads all of it. */
  read(): Promise<Value>
  /** Where processes tell each other that it has changed. */
  readonly channel: string
  readonly notifications: Pick<Notifications, 'follow' | 'onChange' | 'publish'>
  /** Told of a failed reading that nobody waits for: the value then stays as it was, until the next change. */
  failed(error: unknown): void
}

/** Something stored that is kept in memory, whole: read again when this process or another has stored something. */
export class LiveValue<Value> {
  readonly #parts: LiveValueParts<Value>
  readonly #id = randomUUID()
  #current: Value
  #reload: Promise<void> | null = null
  #again = false
  #unfollow: (() => void)[] = []

  /** @param before what there is until `open` has read it */
  constructor(parts: LiveValueParts<Value>, before: Value) {
    this.#parts = parts
    this.#current = before
  }

  get current(): Value {
    return this.#current
  }

  /** Reads what is stored, and follows what others store from now on. */
  async open(): Promise<void> {
    const { notifications, channel, failed } = this.#parts
    const reload = () => void this.reload().catch(failed)
    this.#unfollow = [
      notifications.follow(channel, (origin) => {
        if (origin !== this.#id) reload()
      }),
      notifications.onChange((connected) => {
        if (connected) reload()
      }),
    ]
    await this.reload()
  }

  /** Reads it anew. Calls during a reload share the one after it. */
  reload(): Promise<void> {
    if (this.#reload) {
      this.#again = true
      return this.#reload
    }
    this.#reload = this.#read().finally(() => {
      this.#reload = null
    })
    return this.#reload
  }

  /** To be called after something was stored. */
  async changed(): Promise<void> {
    await this.reload()
    await this.#parts.notifications.publish(this.#parts.channel, this.#id)
  }

  /** Follows no more; settles when nothing is read any more either. */
  async close(): Promise<void> {
    for (const unfollow of this.#unfollow) unfollow()
    // Whoever asked for it is told how it ended.
    await this.#reload?.catch(() => undefined)
  }

  async #read(): Promise<void> {
    do {
      this.#again = false
      this.#current = await this.#parts.read()
    } while (this.#again)
  }
}
