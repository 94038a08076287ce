import type { Actor } from '../../../platform/actor.ts'
import { BackgroundQueue } from '../../../platform/background-queue.ts'
import type { RequestContext } from '../../../platform/context.ts'
import type { Logger } from '../../../platform/log.ts'
import { RawBody } from '../../../platform/openai/raw-body.ts'
import type { BackgroundScope } from '../../../platform/subgraph.ts'
import { messagesOf } from '../completion/answer.ts'
import { fromRawBody } from '../completion/chat-request.ts'
import { type CompletionParts, completionService } from '../completion/service.ts'
import { LearnMemoriesDocument, ObservationSettingsDocument } from '../operations.generated.ts'
import type { JsonObject } from '../providers/index.ts'
import { extractionRequest, knownOf, learnedFrom } from './extraction.ts'
import type { Recall } from './recall.ts'
import { hasWordsOfUser, type Transcript } from './transcript.ts'

/** What learning is made with. */
export interface LearnerParts {
  readonly background: BackgroundScope
  readonly completions: CompletionParts
  readonly recall: Recall
  readonly log: Logger
}

/** Something to learn from, and for whom. */
export interface Lesson {
  readonly transcript: Transcript
  /** The model that reads it. */
  readonly modelId: string
  readonly asker: Pick<RequestContext, 'actor' | 'requestId' | 'traceparent'>
}

const mostWaiting = 200
/** Of one person: nobody's lessons shall be lost for what another sends. */
const mostOfOne = 20
const mostRunning = 2
const deadlineMs = 60_000
const graceMs = 10_000
/** Of each kind, for the model to compare with. */
const knownCount = 40

/** Learns from conversations, one after the other and never in anybody's way: beyond the bound lessons are lost. */
export class MemoryLearner {
  readonly #parts: LearnerParts
  readonly #queue: BackgroundQueue<Lesson>
  /** How many lessons of each person wait or are worked on. */
  readonly #taken = new Map<string, number>()

  constructor(parts: LearnerParts) {
    this.#parts = parts
    this.#queue = new BackgroundQueue({
      work: (lesson, signal) =>
        this.#learn(lesson, signal).finally(() => this.#count(lesson.asker.actor, -1)),
      failed: (err, { asker: { requestId } }) =>
        parts.log.warn({ err, requestId }, 'nothing was learned from a turn'),
      mostRunning,
      mostWaiting,
      deadlineMs,
      graceMs,
      drains: true,
    })
  }

  /** Whether there is room for it. */
  add(lesson: Lesson): boolean {
    const { actor, requestId } = lesson.asker
    this.#count(actor, 1)
    const isTaken = this.#ofOne(actor) <= mostOfOne && this.#queue.add(lesson)
    if (!isTaken) this.#count(actor, -1)
    if (!isTaken) this.#parts.log.warn({ requestId }, 'too much waits: nothing is learned from a turn')
    return isTaken
  }

  /** Takes no more, and gives what there is some time to end. */
  stop(): Promise<void> {
    return this.#queue.stop()
  }

  #ofOne(actor: Actor | null): number {
    return this.#taken.get(actor?.id ?? '') ?? 0
  }

  #count(actor: Actor | null, more: 1 | -1): void {
    const count = this.#ofOne(actor) + more
    if (count > 0) this.#taken.set(actor?.id ?? '', count)
    else this.#taken.delete(actor?.id ?? '')
  }

  async #learn({ transcript, modelId, asker }: Lesson, signal: AbortSignal): Promise<void> {
    const context: RequestContext = { ...this.#parts.background.context(), ...asker, signal }
    if (!hasWordsOfUser(transcript.messages) || !(await mayObserve(context))) return
    const known = knownOf(await this.#parts.recall(comparable(transcript), context))
    const answer = await this.#ask(extractionRequest(modelId, transcript, known), context)
    const input = learnedFrom(answer, transcript, known)
    if (!input) {
      context.log.warn(
        { requestId: context.requestId, model: modelId },
        'a model did not answer in the form of memories',
      )
      return
    }
    // Its user may have switched memory off while the model read.
    if (await mayObserve(context)) await context.graph.execute(LearnMemoriesDocument, { input }, context)
  }

  async #ask(request: JsonObject, context: RequestContext): Promise<string> {
    const asked = new RawBody(Buffer.from(JSON.stringify(request)))
    const service = completionService(context, this.#parts.completions)
    const { json } = await service.answer(fromRawBody(asked, null, null))
    const [message] = messagesOf(json)
    const { content } = (message ?? {}) as { readonly content?: unknown }
    return typeof content === 'string' ? content : ''
  }
}

/** Whether the actor lets conversations be learned from (contract 2.8). */
export async function mayObserve(context: RequestContext): Promise<boolean> {
  const { userSettings } = await context.graph.execute(ObservationSettingsDocument, {}, context)
  const { enabled, observeEnabled } = userSettings.memoryConfig
  return enabled && observeEnabled
}

/** What might be contradicted, or said again. */
function comparable({ messages, projectId }: Transcript) {
  return {
    query: messages.map(({ content }) => content).join('\n'),
    projectId,
    exceptConversationId: null,
    maxUserItems: knownCount,
    maxProjectItems: knownCount,
    maxEpisodicItems: 0,
    minSimilarity: 0,
  }
}
