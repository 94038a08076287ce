/**
 * A record of the bytes of one run, written once, in order, and read by any number, in any process, from any byte on:
 * while it grows and after its end. What is appended is there for readers of the same process at once, for others within
 * a fraction of a second.
 */
export interface StreamLog {
  /**
   * The writing end of a log that a claim has begun (`IdempotencyStore.claim`).
   * @param run the id under which it is read
   */
  writer(run: string): StreamLogWriter
  /**
   * The bytes from `from` on, as they come. Ends with the log.
   * @throws StreamCut when the log is cut, or its writer's process is gone
   * @throws the signal's reason after an abort
   */
  read(run: string, from: number, signal: AbortSignal): AsyncIterableIterator<Buffer>
}

/** What a complete log is worth: `kept` answers later askers too, `spent` only those who read it already. */
export type StreamWorth = 'kept' | 'spent'

/** The writing end of one log. */
export interface StreamLogWriter {
  /** Aborts when the log has gone without a reader for 30 seconds, in every process. */
  readonly unread: AbortSignal
  append(bytes: Buffer): void
  /**
   * Appends the last bytes and ends the log. Readers see both once all of it is stored, so that whoever has read an
   * answer to its end finds it again; should storing fail, they see them all the same, and the failure is logged.
   */
  end(last: Buffer, worth: StreamWorth): Promise<void>
  /** Ends the log without an end: readers get `StreamCut`. Harmless after the end. */
  cut(): Promise<void>
}

/** A log that ends in the middle. */
export class StreamCut extends Error {
  override name = 'StreamCut'

  constructor() {
    super('The run was cut off before its end.')
  }
}
