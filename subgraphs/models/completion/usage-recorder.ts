import type { Logger } from '../../../platform/log.ts'
import type { BackgroundScope } from '../../../platform/subgraph.ts'
import { RecordUsageDocument, type RecordUsageMutationVariables } from '../operations.generated.ts'

/** What one completion has used, as accounts stores it. */
export type UsageRecord = RecordUsageMutationVariables['records'] extends infer Records
  ? Records extends readonly (infer Item)[]
    ? Item
    : Records
  : never

/** At most so much is lost by a crash. */
const flushMs = 500
const batchSize = 200
const retryMs = 5_000
/** Beyond this many that could not be stored the oldest are given up: memory is bounded. */
const mostWaiting = 10_000
const deadlineMs = 5_000

/** Collects usage and stores it in batches, so that no completion waits for it. */
export class UsageRecorder {
  readonly #background: BackgroundScope
  readonly #log: Logger
  #waiting: UsageRecord[] = []
  #timer: NodeJS.Timeout | null = null
  #flushing: Promise<void> = Promise.resolve()

  constructor(background: BackgroundScope, log: Logger) {
    this.#background = background
    this.#log = log
  }

  record(usage: UsageRecord): void {
    this.#waiting.push(usage)
    this.#schedule(flushMs)
  }

  /** Stores what is waiting. Never rejects: what could not be stored waits for the next time. */
  flush(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    this.#flushing = this.#flushing.then(() => this.#store())
    return this.#flushing
  }

  #schedule(delayMs: number): void {
    this.#timer ??= setTimeout(() => void this.flush(), delayMs).unref()
  }

  async #store(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, batchSize)
      // Its own signal: the process's is already aborted when the last flush runs.
      const context = { ...this.#background.context(), signal: AbortSignal.timeout(deadlineMs) }
      try {
        await context.graph.execute(RecordUsageDocument, { records: batch }, context)
      } catch (error) {
        this.#log.error({ err: error, records: batch.length }, 'usage could not be stored')
        this.#waiting = [...batch, ...this.#waiting].slice(-mostWaiting)
        this.#schedule(retryMs)
        return
      }
    }
  }
}
