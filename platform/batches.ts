/** Something to be asked for together with others. */
export interface BatchRequest {
  /** Requests of one key go one after the other, in the order in which they came; null: no matter. */
  readonly key: string | null
  /** How much of a batch it takes, in characters. */
  readonly size: number
}

/** How requests are asked for. */
export interface BatchOptions<Request, Answer> {
  /**
   * Asks for several with one statement. Undefined in place of an answer: that one must be asked alone. Where it rejects,
   * each is asked alone, for nobody shall fail because of another.
   */
  together(requests: readonly Request[]): Promise<readonly (Answer | undefined)[]>
  alone(request: Request): Promise<Answer>
  /** How many batches may be under way. */
  readonly lanes: number
}

interface Waiting<Request, Answer> {
  readonly request: Request
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

const mostRequests = 64
const mostCharacters = 1_000_000

/**
 * Puts together what different requests ask of the database at the same time: while statements are under way others
 * gather, so that batches grow with the load and nobody waits for a timer.
 */
export class Batches<Request extends BatchRequest, Answer> {
  readonly #options: BatchOptions<Request, Answer>
  readonly #keysInUse = new Set<string>()
  #waiting: Waiting<Request, Answer>[] = []
  #underWay = 0
  #isScheduled = false

  constructor(options: BatchOptions<Request, Answer>) {
    this.#options = options
  }

  ask(request: Request): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject })
      this.#schedule()
    })
  }

  /** After the requests that have arrived at this very moment: they go together. */
  #schedule(): void {
    if (this.#isScheduled || this.#waiting.length === 0 || this.#underWay >= this.#options.lanes) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      const batch = this.#take()
      if (batch.length === 0) return
      void this.#run(batch)
      this.#schedule()
    })
  }

  #take(): Waiting<Request, Answer>[] {
    const batch: Waiting<Request, Answer>[] = []
    const left: Waiting<Request, Answer>[] = []
    const passedOver = new Set<string>()
    let room = mostCharacters
    for (const waiting of this.#waiting) {
      const { key, size } = waiting.request
      const fits = batch.length === 0 || (batch.length < mostRequests && size <= room)
      const isFree = key === null || !(this.#keysInUse.has(key) || passedOver.has(key))
      if (!fits || !isFree) {
        if (key !== null) passedOver.add(key)
        left.push(waiting)
        continue
      }
      if (key !== null) this.#keysInUse.add(key)
      room -= size
      batch.push(waiting)
    }
    this.#waiting = left
    return batch
  }

  async #run(batch: readonly Waiting<Request, Answer>[]): Promise<void> {
    this.#underWay += 1
    const answers = await this.#together(batch)
    this.#underWay -= 1
    for (const [at, waiting] of batch.entries()) {
      const answer = answers[at]
      if (answer === undefined) void this.#alone(waiting)
      else this.#settle(waiting, () => waiting.resolve(answer))
    }
    this.#schedule()
  }

  async #together(batch: readonly Waiting<Request, Answer>[]): Promise<readonly (Answer | undefined)[]> {
    try {
      return await this.#options.together(batch.map(({ request }) => request))
    } catch {
      // Whatever it was, each hears of its own failure when it is asked alone.
      return []
    }
  }

  async #alone(waiting: Waiting<Request, Answer>): Promise<void> {
    try {
      const answer = await this.#options.alone(waiting.request)
      this.#settle(waiting, () => waiting.resolve(answer))
    } catch (error) {
      this.#settle(waiting, () => waiting.reject(error))
    }
    this.#schedule()
  }

  #settle({ request: { key } }: Waiting<Request, Answer>, tell: () => void): void {
    if (key !== null) this.#keysInUse.delete(key)
    tell()
  }
}
