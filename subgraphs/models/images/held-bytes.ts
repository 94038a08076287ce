import { FairQueue, type QueueCaller, type QueueLimits } from '../providers/index.ts'

/** What is large, in bytes. */
const large = 4_000_000

/** A request of a few bytes can name media of many megabytes, which are held for as long as a provider works on them. */
export interface HeldBytesLimits {
  readonly small: QueueLimits
  readonly large: QueueLimits
}

/** Half a gigabyte each, at the worst. */
export const heldBytesLimits: HeldBytesLimits = {
  small: { concurrency: 64, length: 200, waitMs: 30_000 },
  large: { concurrency: 6, length: 100, waitMs: 30_000 },
}

/** Bounds the bytes of images that the process holds for providers at once. Callers take turns. */
export class HeldBytes {
  readonly #small: FairQueue
  readonly #large: FairQueue

  constructor(limits: HeldBytesLimits = heldBytesLimits) {
    this.#small = new FairQueue(limits.small)
    this.#large = new FairQueue(limits.large)
  }

  /** Does work that holds so many bytes, as soon as there is room for them. @throws AppError `service_unavailable` where there is none for too long */
  async during<Result>(bytes: number, who: QueueCaller, work: () => Promise<Result>): Promise<Result> {
    if (bytes === 0) return work()
    const queue = bytes > large ? this.#large : this.#small
    await queue.enter(who)
    try {
      return await work()
    } finally {
      queue.leave()
    }
  }
}
