import type { Logger } from '../log.ts'
import type { LiveStream } from './live-stream.ts'
import { keptSeconds, spentSeconds } from './stream-lease.ts'
import type { StreamLogWriter, StreamWorth } from './stream-log.ts'

/** Where the parts of a log are kept. */
export interface StreamStore {
  append(run: string, position: number, bytes: Buffer): Promise<void>
  /** @param lastsSeconds how much longer the log is there */
  end(
    run: string,
    position: number,
    bytes: Buffer,
    worth: StreamWorth | 'cut',
    lastsSeconds: number,
  ): Promise<void>
}

/** What a writer is made of. */
export interface StreamWriterOptions {
  readonly run: string
  readonly live: LiveStream
  readonly store: StreamStore
  readonly log: Logger
  /** Called when nothing more can come. */
  ended(): void
}

/** What waits for the database is stored together: after this long, or from this size on. */
const batchMs = 100
const batchBytes = 64 * 1024

/** Writes a log: at once into memory, in batches into the database. */
export class PostgresStreamWriter implements StreamLogWriter {
  readonly live: LiveStream
  readonly #options: StreamWriterOptions
  readonly #unread = new AbortController()
  readonly #ended = Promise.withResolvers<void>()
  #pending: Buffer[] = []
  #pendingBytes = 0
  #position = 0
  #timer: NodeJS.Timeout | undefined
  #storing: Promise<void> = Promise.resolve()
  #ending: Promise<void> | undefined
  /** A part is missing in the database: what follows it is worth nothing there. */
  #torn = false

  constructor(options: StreamWriterOptions) {
    this.live = options.live
    this.#options = options
  }

  /** Settles when nothing more can come. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  get unread(): AbortSignal {
    return this.#unread.signal
  }

  /** Aborts `unread` where nobody has read for `unreadMs`, here or elsewhere. */
  giveUpUnread(unreadMs: number, readElsewhere: boolean): void {
    if (!readElsewhere && this.live.unreadMs >= unreadMs) this.#unread.abort()
  }

  /** Ends the run as if nobody read it, and its log in the middle. */
  abandon(): Promise<void> {
    this.#unread.abort()
    return this.cut()
  }

  append(bytes: Buffer): void {
    if (this.#ending || bytes.length === 0) return
    this.live.append(bytes)
    this.#hold(bytes)
    if (this.#pendingBytes >= batchBytes) this.#store()
    else this.#timer ??= setTimeout(() => this.#store(), batchMs)
  }

  end(last: Buffer, worth: StreamWorth): Promise<void> {
    this.#ending ??= this.#end(last, worth)
    return this.#ending
  }

  cut(): Promise<void> {
    this.#ending ??= this.#end(Buffer.alloc(0), 'cut')
    return this.#ending
  }

  async #end(last: Buffer, worth: StreamWorth | 'cut'): Promise<void> {
    clearTimeout(this.#timer)
    const { run, store, log, ended } = this.#options
    this.#hold(last)
    await this.#storing
    const bytes = this.#takePending()
    const position = this.#position - bytes.length
    try {
      if (this.#torn) await store.end(run, position, Buffer.alloc(0), 'cut', spentSeconds)
      else await store.end(run, position, bytes, worth, worth === 'kept' ? keptSeconds : spentSeconds)
    } catch (error) {
      log.error({ err: error, run }, 'an answer could not be stored for its repetition')
    }
    ended()
    this.live.append(last)
    this.live.finish(worth === 'cut' ? 'cut' : 'complete')
    this.#ended.resolve()
  }

  #hold(bytes: Buffer): void {
    this.#pending.push(bytes)
    this.#pendingBytes += bytes.length
  }

  /** Hands what has come together to the database, after what was handed to it before. */
  #store(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const { run, store, log } = this.#options
    this.#storing = this.#storing.then(async () => {
      const bytes = this.#takePending()
      if (bytes.length === 0 || this.#torn) return
      try {
        await store.append(run, this.#position - bytes.length, bytes)
      } catch (error) {
        this.#torn = true
        log.error({ err: error, run }, 'a part of an answer could not be stored for its repetition')
      }
    })
  }

  #takePending(): Buffer {
    const bytes = Buffer.concat(this.#pending)
    this.#pending = []
    this.#pendingBytes = 0
    this.#position += bytes.length
    return bytes
  }
}
