import { requireActor } from '../../../platform/actor.ts'
import { BackgroundQueue } from '../../../platform/background-queue.ts'
import type { RequestContext } from '../../../platform/context.ts'
import { newId } from '../../../platform/ids.ts'
import type { Logger } from '../../../platform/log.ts'
import type { LiveCatalogue } from '../catalogue/live-catalogue.ts'
import { firstMessage } from '../completion/answer.ts'
import { type Candidate, candidatesOf } from '../completion/prepared.ts'
import { answererOf, usageRecord } from '../completion/usage-figures.ts'
import type { UsageRecorder } from '../completion/usage-recorder.ts'
import { ClaimTitleDocument, SetGeneratedTitleDocument } from '../operations.generated.ts'
import { firstAnswer, type JsonObject, usageOf } from '../providers/index.ts'
import { titleIn, titlePrompt } from './title-prompt.ts'

/** A conversation that wants a title. */
export interface WantedTitle {
  readonly conversationId: string
  /** How many messages its user has sent: the title is made once for each number, whichever process is asked. */
  readonly userMessages: number
  /** What the user said, as far as the title is to follow from it. */
  readonly said: readonly string[]
  /** What is to be the title where no model makes one; null: the one that there is. */
  readonly otherwise: string | null
  /** Of the completion after which it is made: for whom, and the way to the graph. */
  readonly context: RequestContext
}

/** What titles are written with. */
export interface TitleWriterParts {
  /** Null where no model makes titles. */
  readonly modelId: string | null
  readonly catalogue: LiveCatalogue
  readonly usage: UsageRecorder
  readonly log: Logger
}

/** From the beginning of one title to its end, in milliseconds. */
const deadlineMs = 20_000
/** How long those that have begun may go on when the process stops. */
const graceMs = 5_000
/** Titles that are made at once. */
const mostRunning = 4
/** Beyond so many that wait no more are taken: the conversations keep the titles that they have. */
const mostWaiting = 500

/** Names conversations, by a model where there is one, after the answer and in the background. What fails is only logged. */
export class TitleWriter {
  readonly #parts: TitleWriterParts
  readonly #queue: BackgroundQueue<WantedTitle>

  constructor(parts: TitleWriterParts) {
    this.#parts = parts
    this.#queue = new BackgroundQueue({
      work: (wanted, signal) => this.#write(wanted, signal),
      failed: (err) => parts.log.warn({ err }, 'a title could not be made'),
      mostRunning,
      mostWaiting,
      deadlineMs,
      graceMs,
      drains: false,
    })
  }

  /** Takes a title on. Nobody waits for it. */
  write(wanted: WantedTitle): void {
    if (this.#parts.modelId === null && wanted.otherwise === null) return
    this.#queue.add(wanted)
  }

  /** Lets the titles that have begun come to their end, for a while, and drops the others. */
  stop(): Promise<void> {
    return this.#queue.stop()
  }

  async #write({ context: base, ...wanted }: WantedTitle, signal: AbortSignal): Promise<void> {
    const context = { ...base, signal }
    const { conversationId, otherwise } = wanted
    const store = async (title: string | null) => {
      if (title !== null)
        await context.graph.execute(SetGeneratedTitleDocument, { input: { conversationId, title } }, context)
    }
    const { modelId } = this.#parts
    const candidates = modelId === null ? [] : this.#candidates(modelId)
    if (modelId === null || candidates.length === 0) return store(otherwise)
    if (!(await this.#claim(wanted, context))) return
    try {
      const answer = await this.#ask({ modelId, candidates }, wanted, context)
      await store(titleIn(firstMessage(answer).message.content) ?? otherwise)
    } catch (error) {
      await store(otherwise)
      throw error
    }
  }

  async #claim(
    { conversationId, userMessages }: Omit<WantedTitle, 'context'>,
    context: RequestContext,
  ): Promise<boolean> {
    const variables = { input: { conversationId, userMessages } }
    const { claimTitle } = await context.graph.execute(ClaimTitleDocument, variables, context)
    return claimTitle
  }

  #candidates(modelId: string): Candidate[] {
    const { catalogue, log } = this.#parts
    const model = catalogue.registry.model(modelId)
    if (!model) log.warn({ model: modelId }, 'there is no such model to make titles with')
    return model ? candidatesOf(model, catalogue) : []
  }

  async #ask(
    { modelId, candidates }: { readonly modelId: string; readonly candidates: readonly Candidate[] },
    { said, conversationId }: Omit<WantedTitle, 'context'>,
    { requestId, signal, actor, log }: RequestContext,
  ): Promise<JsonObject> {
    const { usage } = this.#parts
    const caller = requireActor(actor)
    const startedAt = performance.now()
    const ask = async (candidate: Candidate) => {
      const body = { model: candidate.offer.modelId, ...titlePrompt(said) }
      const { json } = await candidate.route.whole({ caller: caller.id, signal }, (client) =>
        client.complete({ body, requestId, signal }),
      )
      const tokens = usageOf(json)
      if (tokens) {
        const call = { id: newId('completion'), actor: caller, modelId, startedAt }
        const conversation = { id: conversationId, title: null }
        usage.record(
          usageRecord(call, answererOf(call, candidate), {
            end: 'completed',
            tokens,
            stream: false,
            conversation,
          }),
        )
      }
      return json
    }
    const onFailure = ({ offer }: Candidate, err: unknown) =>
      log.debug({ err, provider: offer.provider.name }, 'a provider made no title')
    return firstAnswer([candidates], ask, { retries: 1, until: startedAt + deadlineMs, signal, onFailure })
  }
}
