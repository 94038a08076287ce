import { toAppError } from '../../../platform/errors.ts'
import type { ChatCompletionChunk } from '../../../platform/openai/chat-completion-chunk.ts'
import type { ConversationStub } from '../../../platform/openai/conversation-stub.ts'
import type { TokenUsage } from '../../../platform/openai/token-usage.ts'
import type { ProviderStream, StreamReport } from '../providers/index.ts'
import type { AnswerImages } from './answer-images.ts'
import { clientLeft } from './client-left.ts'
import type { StoredStream } from './stored-stream.ts'

/** How a completion ended. */
export type CompletionEnd = 'completed' | 'aborted' | 'failed'

/** What a stream is made of. */
export interface CompletionStreamParts {
  readonly upstream: ProviderStream
  /** Puts the id of the model that was asked for into a frame. */
  readonly rewrite: (frame: Buffer) => Buffer
  /** Keeps the images that come. */
  readonly images: Pick<AnswerImages, 'mayBeIn' | 'keptInFrame'>
  /** Null where nothing is stored. */
  readonly stored: StoredStream | null
  /** The conversation that is read only. */
  readonly conversation: ConversationStub | null
  /** The modules of its prompt, in their order. */
  readonly promptModules: readonly string[]
  /** Whether the client asked to see the usage: an estimate is then sent where the provider sends none. */
  readonly wantsUsage: boolean
  /** Whether the model was told less than there was. */
  readonly trimmed: boolean
  readonly signal: AbortSignal
  /** The figures of a report, the provider's own or an estimate. */
  usageOf(report: StreamReport): TokenUsage
  /** Told once, whatever the end. */
  ended(end: CompletionEnd, report: StreamReport, conversation: ConversationStub | null): void
}

type Frames = readonly Buffer[]
type Result = IteratorResult<Frames, undefined>

const finished: Result = { done: true, value: undefined }

/**
 * The frames of a completion for whoever asked, as many at a time as have queued. Written by hand: a generator's
 * `return` would wait for the provider. Its end is accounted for once, by whichever comes first: the last frame, a
 * failure, `return()` or the client's leaving.
 */
export class CompletionStream implements AsyncIterableIterator<Frames, undefined> {
  readonly #parts: CompletionStreamParts
  #settling: Promise<ConversationStub | null> | null = null
  #over = false
  #last: Buffer | null = null

  constructor(parts: CompletionStreamParts) {
    this.#parts = parts
    if (parts.signal.aborted) this.#leave()
    else parts.signal.addEventListener('abort', this.#leave, { once: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** The conversation that takes part, stored or only read, known before the first frame. */
  get conversation(): ConversationStub | null {
    return this.#parts.stored?.conversation ?? this.#parts.conversation
  }

  get promptModules(): readonly string[] {
    return this.#parts.promptModules
  }

  async next(): Promise<Result> {
    if (this.#over) return finished
    const { upstream, rewrite, stored, images } = this.#parts
    try {
      const step = await upstream.next()
      if (!step.done) {
        const told = step.value.frames.map(rewrite)
        const frames = told.some(images.mayBeIn) ? await Promise.all(told.map(images.keptInFrame)) : told
        if (this.#over) return finished
        this.#last = frames.at(-1) ?? this.#last
        stored?.add(frames)
        return { done: false, value: frames }
      }
    } catch (error) {
      this.#over = true
      const left = this.#parts.signal.aborted
      await this.#settle(left ? 'aborted' : 'failed', error)
      throw left ? clientLeft(error) : error
    }
    if (this.#over) return finished
    this.#over = true
    const closing = this.#closingFrame(await this.#settle('completed'))
    return closing ? { done: false, value: [closing] } : finished
  }

  return(): Promise<Result> {
    this.#leave()
    return Promise.resolve(finished)
  }

  readonly #leave = () => {
    if (this.#over) return
    this.#over = true
    this.#parts.upstream.cancel()
    // Nobody waits for it any more, and it does not reject.
    void this.#settle('aborted')
  }

  #settle(end: CompletionEnd, error?: unknown): Promise<ConversationStub | null> {
    this.#settling ??= this.#end(end, error)
    return this.#settling
  }

  async #end(end: CompletionEnd, error: unknown): Promise<ConversationStub | null> {
    const { signal, upstream, stored, ended, usageOf } = this.#parts
    signal.removeEventListener('abort', this.#leave)
    const report = upstream.report()
    ended(end, report, this.conversation)
    if (!stored) return this.conversation
    return stored.finish({
      status: end === 'completed' ? 'COMPLETED' : 'INCOMPLETE',
      finishReason: report.finishReason,
      usage: usageOf(report),
      ...(end === 'aborted' ? { incompleteReason: 'client_disconnected' } : {}),
      ...(end === 'failed' ? { incompleteReason: 'provider_error', error: failureOf(error) } : {}),
    })
  }

  /** What the provider's frames do not tell: the conversation, what was left out, and the usage where it was asked for and not sent. */
  #closingFrame(conversation: ConversationStub | null): Buffer | null {
    const { upstream, usageOf, wantsUsage, trimmed } = this.#parts
    const report = upstream.report()
    const usage = wantsUsage && report.usage === null ? usageOf(report) : null
    if (!conversation && !usage && !trimmed) return null
    const chunk: ChatCompletionChunk = {
      ...headOf(this.#last),
      object: 'chat.completion.chunk',
      choices: [],
      ...(usage ? { usage } : {}),
      ...(conversation ? { conversation } : {}),
      ...(trimmed ? { trimmed } : {}),
    }
    return Buffer.from(JSON.stringify(chunk))
  }
}

/** What all chunks of a completion share, from the last one. */
function headOf(frame: Buffer | null): Pick<ChatCompletionChunk, 'id' | 'created' | 'model'> {
  const { id = '', created = 0, model = '' } = frame ? JSON.parse(frame.toString()) : {}
  return { id, created, model }
}

function failureOf(error: unknown): object {
  const { code, message } = toAppError(error)
  return { code, message }
}
