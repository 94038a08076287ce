import { Readable } from 'node:stream'

/** What a body is read from, and how far. */
export interface GuardedBodyOptions {
  /** The bytes as they come from the connection, encoded perhaps. */
  readonly wire: Readable
  /** The bytes that are meant; `wire` itself where nothing is encoded. */
  readonly decoded: Readable
  readonly maxBytes: number
  /** The failure of a body with more bytes, on the wire or decoded. */
  tooLarge(): Error
  /** What the reader is told of a failure of the connection. */
  failure(error: unknown): unknown
  /** Called once, when nothing more is read for whichever reason: gives the connection up. */
  release(): void
}

/** A bounded body: never more than `maxBytes` are handed out, and what fails is told in our own words. */
export class GuardedBody extends Readable {
  readonly #options: GuardedBodyOptions
  #wireBytes = 0
  #decodedBytes = 0

  constructor(options: GuardedBodyOptions) {
    super()
    this.#options = options
    const { wire, decoded } = options
    // Whoever destroys or forgets a body need not listen for its failure.
    this.on('error', () => undefined)
    decoded.pause()
    decoded.on('data', (chunk: Buffer) => this.#take(chunk))
    decoded.once('end', () => this.push(null))
    decoded.on('error', (error) => this.#fail(error))
    decoded.once('close', () => {
      if (!decoded.readableEnded) this.#fail(new Error('the body was cut off'))
    })
    if (wire !== decoded) wire.on('data', (chunk: Buffer) => this.#weigh(chunk))
  }

  override _read(): void {
    this.#options.decoded.resume()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#options.decoded.destroy()
    this.#options.wire.destroy()
    this.#options.release()
    done(error)
  }

  #take(chunk: Buffer): void {
    this.#decodedBytes += chunk.length
    if (this.#decodedBytes > this.#options.maxBytes) this.destroy(this.#options.tooLarge())
    else if (!this.push(chunk)) this.#options.decoded.pause()
  }

  /** An encoding can hide endless bytes that decode to nothing. */
  #weigh(chunk: Buffer): void {
    this.#wireBytes += chunk.length
    if (this.#wireBytes > this.#options.maxBytes) this.destroy(this.#options.tooLarge())
  }

  #fail(error: unknown): void {
    if (this.destroyed) return
    const failure = this.#options.failure(error)
    this.destroy(failure instanceof Error ? failure : new Error(String(failure)))
  }
}
