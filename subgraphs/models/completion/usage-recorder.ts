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
const usualRetryMs = 5_000
/** Beyond this many that could not be stored the oldest are given up: memory is bounded. */
const mostWaiting = 10_000
const deadlineMs = 5_000

/** How often one record is tried while others can be stored: there is something wrong with it. */
const mostTries = 3

/** A record that waits, and what is known of its failing. */
interface Waiting {
  readonly usage: UsageRecord
  /** How often it failed by itself since others could be stored. */
  tries: number
  /** How many had been stored when it failed last. */
  storedThen: number
}

/** Collects usage and stores it in batches, so that no completion waits for it. */
export class UsageRecorder {
  readonly #background: BackgroundScope
  readonly #log: Logger
  readonly #used: (usage: UsageRecord) => void
  readonly #retryMs: number
  #waiting: Waiting[] = []
  #timer: NodeJS.Timeout | null = null
  #flushing: Promise<void> = Promise.resolve()
  /** Halved with each batch that fails, so that one bad record is soon alone. */
  #most = batchSize
  #stored = 0

  /** @param used told of each record at once */
  constructor(
    background: BackgroundScope,
    log: Logger,
    used: (usage: UsageRecord) => void,
    retryMs = usualRetryMs,
  ) {
    this.#used = used
    this.#background = background
    this.#log = log
    this.#retryMs = retryMs
  }

  record(usage: UsageRecord): void {
    this.#used(usage)
    this.#waiting.push({ usage, tries: 0, storedThen: -1 })
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
      const batch = this.#waiting.splice(0, this.#most)
      // Its own signal: the process's is already aborted when the last flush runs.
      const context = { ...this.#background.context(), signal: AbortSignal.timeout(deadlineMs) }
      try {
        const records = batch.map(({ usage }) => usage)
        await context.graph.execute(RecordUsageDocument, { records }, context)
        this.#stored += batch.length
        this.#most = Math.min(batchSize, this.#most * 2)
      } catch (error) {
        this.#log.error({ err: error, records: batch.length }, 'usage could not be stored')
        this.#putBack(batch)
        this.#most = Math.max(1, Math.floor(batch.length / 2))
        this.#schedule(this.#retryMs)
        return
      }
    }
  }

  /** Several come first again. One that failed alone lets the others go before it, and is given up when they can be stored. */
  #putBack(batch: readonly Waiting[]): void {
    const [only] = batch
    if (batch.length > 1 || !only) this.#waiting = [...batch, ...this.#waiting].slice(-mostWaiting)
    else if (!this.#isHopeless(only)) this.#waiting.push(only)
    else this.#log.error({ usage: only.usage }, 'a usage record is given up: others can be stored')
  }

  #isHopeless(record: Waiting): boolean {
    if (this.#stored > record.storedThen) record.tries += 1
    record.storedThen = this.#stored
    return record.tries >= mostTries
  }
}
