import { StreamCut } from './stream-log.ts'

/** The bytes of a run that goes on in this process, and whoever reads along here. */
export class LiveStream {
  readonly #parts: Buffer[] = []
  #bytes = 0
  #end: 'complete' | 'cut' | null = null
  #readers = 0
  #lastReadAt = performance.now()
  readonly #waiting = new Set<() => void>()

  append(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.#parts.push(bytes)
    this.#bytes += bytes.length
    this.#wake()
  }

  finish(end: 'complete' | 'cut'): void {
    this.#end ??= end
    this.#wake()
  }

  /** How long nobody has been reading here, in milliseconds; 0 while somebody is. */
  get unreadMs(): number {
    return this.#readers > 0 ? 0 : performance.now() - this.#lastReadAt
  }

  /** @throws StreamCut where the run was cut; the signal's reason after an abort */
  async *read(from: number, signal: AbortSignal): AsyncGenerator<Buffer, undefined> {
    this.#readers += 1
    try {
      let position = from
      for (;;) {
        signal.throwIfAborted()
        const bytes = this.#from(position)
        if (bytes.length > 0) {
          position += bytes.length
          yield bytes
        } else if (this.#end === 'complete') return
        else if (this.#end === 'cut') throw new StreamCut()
        else await this.#change(signal)
      }
    } finally {
      this.#readers -= 1
      this.#lastReadAt = performance.now()
    }
  }

  #from(position: number): Buffer {
    if (position >= this.#bytes) return Buffer.alloc(0)
    let start = this.#bytes
    let index = this.#parts.length
    while (start > position) {
      index -= 1
      start -= (this.#parts[index] as Buffer).length
    }
    const parts = this.#parts.slice(index)
    const joined = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
    return joined.subarray(position - start)
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      this.#waiting.add(wake)
      signal.addEventListener('abort', wake)
    })
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake()
  }
}
