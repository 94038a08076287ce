/** How work that nobody waits for is done, and how much of it. */
export interface BackgroundWork<Item> {
  /** @param signal fires when the item's time is over, or that of the process */
  work(item: Item, signal: AbortSignal): Promise<void>
  /** Is told why an item could not be done. */
  failed(error: unknown, item: Item): void
  /** How many items are worked on at once. */
  readonly mostRunning: number
  /** Beyond so many that wait no more are taken. */
  readonly mostWaiting: number
  /** How long one item may take, in milliseconds. */
  readonly deadlineMs: number
  /** How long stopping waits, in milliseconds. */
  readonly graceMs: number
  /** Whether stopping still does what waits, within the grace, or drops it. */
  readonly drains: boolean
}

/** Work behind the answers: bounded in number and time, in the order in which it came, never in anybody's way. */
export class BackgroundQueue<Item> {
  readonly #options: BackgroundWork<Item>
  readonly #running = new Set<Promise<void>>()
  readonly #stopping = new AbortController()
  #waiting: Item[] = []
  #isClosed = false

  constructor(options: BackgroundWork<Item>) {
    this.#options = options
  }

  /** Takes an item on; false where there is no room for it, or the process is stopping. */
  add(item: Item): boolean {
    if (this.#isClosed || this.#waiting.length >= this.#options.mostWaiting) return false
    this.#waiting.push(item)
    this.#next()
    return true
  }

  /** Takes no more, gives what there is its grace, then aborts it. */
  async stop(): Promise<void> {
    this.#isClosed = true
    if (!this.#options.drains) this.#waiting = []
    const impatience = setTimeout(() => {
      this.#waiting = []
      this.#stopping.abort()
    }, this.#options.graceMs)
    while (this.#running.size > 0) await Promise.all(this.#running)
    clearTimeout(impatience)
  }

  #next(): void {
    const { work, failed, mostRunning, deadlineMs } = this.#options
    if (this.#running.size >= mostRunning) return
    const item = this.#waiting.shift()
    if (item === undefined) return
    const signal = AbortSignal.any([AbortSignal.timeout(deadlineMs), this.#stopping.signal])
    const running = work(item, signal)
      .catch((error: unknown) => failed(error, item))
      .finally(() => {
        this.#running.delete(running)
        this.#next()
      })
    this.#running.add(running)
  }
}
