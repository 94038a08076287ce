import { Worker } from 'node:worker_threads'
import type { Logger } from '../../../platform/log.ts'
import type { EncodingName } from './encodings.ts'
import type { TokenCounter } from './token-counter.ts'
import type { TokenizerAnswer, TokenizerWork } from './tokenizer-messages.ts'

/** How long things take, in milliseconds. */
export interface TokenizerTimes {
  /** How long an answer is waited for. */
  readonly patienceMs: number
  /** How long the thread lives without work. */
  readonly idleMs: number
}

const usualTimes: TokenizerTimes = { patienceMs: 5_000, idleMs: 60_000 }
/** More questions than this at once are not asked: their answers would come too late. */
const mostWaiting = 64
/** Longer texts than this are not counted, in UTF-16 units: others wait for the same thread. */
const mostUnits = 8_000_000
const memoryMb = 512

type Resolve = (numbers: readonly number[] | null) => void

/**
 * Exact counts of OpenAI's encodings. Their tables are loaded, and texts counted, in a thread of its own, which is there only
 * while there is something to count: no request waits for another one's count, and an idle process does not hold the tables.
 */
export class Tokenizer {
  readonly #log: Logger
  readonly #times: TokenizerTimes
  readonly #waiting = new Map<number, Resolve>()
  #worker: Worker | null = null
  #idle: NodeJS.Timeout | undefined
  #asked = 0

  constructor(log: Logger, times = usualTimes) {
    this.#log = log
    this.#times = times
  }

  /** Whether the thread is there. */
  get isLoaded(): boolean {
    return this.#worker !== null
  }

  /** @param otherwise answers where the thread does not, or not in time */
  counter(encoding: EncodingName, otherwise: TokenCounter): TokenCounter {
    return {
      count: async (texts, enough) =>
        (await this.#ask(encoding, { kind: 'count', texts, enough })) ?? otherwise.count(texts, enough),
      fit: async (wanted) => (await this.#ask(encoding, { kind: 'fit', wanted })) ?? otherwise.fit(wanted),
    }
  }

  /** Ends the thread; whoever waits for it gets the estimate. */
  async close(): Promise<void> {
    await this.#end()
  }

  /** Null where there is no answer. */
  async #ask(encoding: EncodingName, work: TokenizerWork): Promise<readonly number[] | null> {
    if (this.#waiting.size >= mostWaiting || unitsOf(work) > mostUnits) return null
    clearTimeout(this.#idle)
    const id = this.#asked++
    const { promise, resolve } = Promise.withResolvers<readonly number[] | null>()
    this.#waiting.set(id, resolve)
    const { patienceMs } = this.#times
    const impatience = setTimeout(() => resolve(null), patienceMs)
    this.#thread().postMessage({ id, encoding, until: Date.now() + patienceMs, ...work })
    try {
      return await promise
    } finally {
      clearTimeout(impatience)
    }
  }

  #thread(): Worker {
    if (this.#worker) return this.#worker
    const worker = new Worker(new URL('./tokenizer-worker.ts', import.meta.url), {
      name: 'tokenizer',
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: memoryMb },
    })
    worker.unref()
    worker.on('message', ({ id, numbers }: TokenizerAnswer) => {
      this.#waiting.get(id)?.(numbers)
      this.#waiting.delete(id)
      if (this.#waiting.size === 0) this.#rest()
    })
    worker.on('error', (error) => this.#log.warn({ err: error }, 'tokens could not be counted'))
    worker.on('exit', () => {
      if (this.#worker === worker) this.#forget()
    })
    this.#worker = worker
    return worker
  }

  #rest(): void {
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => void this.#end(), this.#times.idleMs).unref()
  }

  async #end(): Promise<void> {
    clearTimeout(this.#idle)
    const worker = this.#worker
    this.#forget()
    await worker?.terminate()
  }

  #forget(): void {
    this.#worker = null
    for (const resolve of this.#waiting.values()) resolve(null)
    this.#waiting.clear()
  }
}

function unitsOf(work: TokenizerWork): number {
  const texts = work.kind === 'count' ? work.texts : work.wanted.map(({ text }) => text)
  return texts.reduce((sum, text) => sum + text.length, 0)
}
