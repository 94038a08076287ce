import type { Logger } from '../../../platform/log.ts'
import type { ConversationStub } from '../../../platform/openai/conversation-stub.ts'
import { ChunkAccumulator } from '../providers/index.ts'
import type { StoredTurn, TurnOutcome } from './turn.ts'

const checkpointBytes = 16 * 1024

/** When a stream is written while it passes, in milliseconds since the last time. */
export interface StoredStreamTimes {
  /** What was made since is stored with the next frame. */
  readonly checkpointMs: number
  /** The lease is renewed, whether or not anything was made. Well under the lease, which conversations gives for 10 s. */
  readonly renewMs: number
}

const usualTimes: StoredStreamTimes = { checkpointMs: 2_000, renewMs: 3_000 }

/**
 * Stores a stream while it passes: what was made so far every two seconds or 16 KB, and the whole at its end. While the
 * provider is silent it holds the turn's lease, so that no sweeper takes the answer for a dead process's.
 */
export class StoredStream {
  readonly #turn: StoredTurn
  readonly #log: Logger
  readonly #times: StoredStreamTimes
  readonly #answer = new ChunkAccumulator()
  readonly #renewal: NodeJS.Timeout
  /** As `begin` gave it; a new conversation has an id only then. */
  readonly conversation: ConversationStub
  #writtenAt = performance.now()
  #unwrittenBytes = 0
  #writing: Promise<void> | null = null
  #isOver = false

  constructor(turn: StoredTurn, conversation: ConversationStub, log: Logger, times = usualTimes) {
    this.#turn = turn
    this.conversation = conversation
    this.#log = log
    this.#times = times
    this.#renewal = setTimeout(() => this.#write(), times.renewMs).unref()
  }

  add(frames: readonly Buffer[]): void {
    for (const frame of frames) {
      this.#answer.add(frame)
      this.#unwrittenBytes += frame.length
    }
    const isDue = performance.now() - this.#writtenAt >= this.#times.checkpointMs
    if (isDue || this.#unwrittenBytes >= checkpointBytes) this.#write()
  }

  /** Ends the turn, after a checkpoint that is under way: it must not overtake. Never rejects. */
  async finish(outcome: Omit<TurnOutcome, 'message'>): Promise<ConversationStub> {
    this.#isOver = true
    clearTimeout(this.#renewal)
    await this.#writing
    try {
      return await this.#turn.finish({ ...outcome, message: this.#message() })
    } catch (error) {
      // The answer has gone out: the lease runs out, and a sweeper keeps what the checkpoints have stored.
      this.#log.error({ err: error }, 'the end of an answer could not be stored')
      return this.conversation
    }
  }

  #write(): void {
    if (this.#isOver) return
    this.#renewal.refresh()
    if (this.#writing) return
    const bytes = this.#unwrittenBytes
    this.#unwrittenBytes = 0
    this.#writtenAt = performance.now()
    this.#writing = this.#turn
      .checkpoint(bytes > 0 ? this.#message() : null)
      .catch((error: unknown) => {
        this.#unwrittenBytes += bytes
        this.#log.warn({ err: error }, 'an answer in progress could not be stored')
      })
      .finally(() => {
        this.#writing = null
      })
  }

  #message(): object {
    return this.#answer.choice(0)?.message ?? { role: 'assistant', content: '' }
  }
}
