import type { RequestContext } from '../../../platform/context.ts'
import type { ConversationStub } from '../../../platform/openai/conversation-stub.ts'
import type { TokenUsage } from '../../../platform/openai/token-usage.ts'
import {
  type AskingBounds,
  type CompletionRequest,
  createModelRewriter,
  estimateMessageTokens,
  firstAnswer,
  type Route,
  type StreamReport,
  usageOf,
} from '../providers/index.ts'
import { answerBytes, firstMessage, messagesOf } from './answer.ts'
import type { ChatRequest } from './chat-request.ts'
import { clientLeft } from './client-left.ts'
import { type CompletionEnd, CompletionStream } from './completion-stream.ts'
import {
  answeringId,
  type Candidate,
  logFailureIn,
  type Prepared,
  type PreparingParts,
  prepareCompletion,
} from './prepared.ts'
import { StoredStream } from './stored-stream.ts'
import { type StoredTurn, storedTurn } from './turn.ts'
import { observedTurn, type TurnObserver } from './turn-observer.ts'
import { type CallOutcome, estimatedUsage, usageRecord } from './usage-figures.ts'
import type { UsageRecorder } from './usage-recorder.ts'

/** What completions are made with. */
export interface CompletionParts extends PreparingParts {
  readonly usage: UsageRecorder
  readonly bounds: AskingBounds
  /** Is told of stored turns; null where nobody wants to know. */
  readonly observe: TurnObserver | null
}

/** A whole answer. */
export interface WholeAnswer {
  readonly body: Buffer
  /** The modules of its prompt, in their order. */
  readonly promptModules: readonly string[]
}

/** Makes completions for the caller. Authorise, choose and prepare are the same for whole answers and for streams. */
export function completionService(context: RequestContext, parts: CompletionParts) {
  const { usage, bounds, observe } = parts
  const caller = ({ actor }: Prepared) => ({ caller: actor.id, signal: context.signal })
  const record = (prepared: Prepared, candidate: Candidate, outcome: CallOutcome) =>
    usage.record(usageRecord(prepared, candidate, outcome))

  /** Null where nothing is to be stored. */
  const turnFor = (prepared: Prepared, candidate: Candidate): StoredTurn | null => {
    const { request, history, modelId } = prepared
    const turn = storedTurn({ id: prepared.id, modelId: answeringId(prepared, candidate) }, request, context)
    if (!turn || !observe) return turn
    const projectId = history?.projectId ?? null
    return observedTurn(turn, (conversation, answer) =>
      observe({ conversation, projectId, modelId, asked: newMessages(request), answer }, context),
    )
  }

  /** Asks one candidate after the other. A client that leaves while a provider works for it has used its prompt. */
  const ask = async <Answer>(
    prepared: Prepared,
    stream: boolean,
    call: (route: Route, request: () => CompletionRequest) => Promise<Answer>,
  ): Promise<{ candidate: Candidate; answer: Answer }> => {
    let asked: Candidate | undefined
    const terms = {
      retries: bounds.retries,
      until: prepared.startedAt + bounds.totalMs,
      signal: context.signal,
      onFailure: logFailureIn(context.log),
    }
    try {
      return await firstAnswer(
        prepared.candidates(),
        async (candidate) => {
          asked = undefined
          const answer = await call(candidate.route, () => {
            asked = candidate
            return prepared.callOf(candidate)
          })
          return { candidate, answer }
        },
        terms,
      )
    } catch (error) {
      if (!context.signal.aborted) throw error
      const tokens = estimatedUsage(prepared, 0)
      const conversation = prepared.history?.conversation
      if (asked) record(prepared, asked, { end: 'aborted', tokens, stream, conversation })
      throw clientLeft(error)
    }
  }

  return {
    /** The body of a whole answer: the provider's bytes with our fields in them. @throws AppError */
    async complete(request: ChatRequest): Promise<WholeAnswer> {
      const prepared = await prepareCompletion(request, false, parts, context)
      const { candidate, answer } = await ask(prepared, false, (route, request) =>
        route.whole(caller(prepared), (client) => client.complete(request())),
      )
      const told = usageOf(answer.json)
      const { message, finishReason } = firstMessage(answer.json)
      const tokens = told ?? estimatedUsage(prepared, estimateMessageTokens(messagesOf(answer.json)))
      let conversation = prepared.history?.conversation ?? null
      try {
        const turn = turnFor(prepared, candidate)
        if (turn)
          conversation = await turn.append({ status: 'COMPLETED', message, finishReason, usage: tokens })
      } finally {
        // The tokens are spent, also where the conversation turns out to be full.
        record(prepared, candidate, { end: 'completed', tokens, stream: false, conversation })
      }
      const modelId = request.parsed.model
      const body = answerBytes(answer.body, { modelId, usage: told ? null : tokens, conversation })
      return { body, promptModules: prepared.promptModules }
    },

    /**
     * An answer in frames. Settles once the provider has answered with a stream and a stored turn has begun, so that a
     * refusal is a plain failure that stores nothing.
     * @throws AppError
     */
    async stream(request: ChatRequest): Promise<CompletionStream> {
      const prepared = await prepareCompletion(request, true, parts, context)
      const { candidate, answer: upstream } = await ask(prepared, true, (route, request) =>
        route.streamed(caller(prepared), (client) => client.stream(request())),
      )
      const recordStream = (
        end: CompletionEnd,
        report: StreamReport,
        conversation: ConversationStub | null,
      ) =>
        record(prepared, candidate, {
          end,
          tokens: tokensOf(prepared, report),
          stream: true,
          firstTokenMs: report.firstTokenMs,
          conversation,
        })
      const read = prepared.history?.conversation ?? null
      const stored = await begin(turnFor(prepared, candidate), context).catch((error: unknown) => {
        upstream.cancel()
        recordStream('failed', upstream.report(), read)
        throw error
      })
      return new CompletionStream({
        upstream,
        rewrite: createModelRewriter(request.parsed.model),
        stored,
        conversation: read,
        promptModules: prepared.promptModules,
        wantsUsage: request.parsed.stream_options?.include_usage === true,
        signal: context.signal,
        usageOf: (report) => tokensOf(prepared, report),
        ended: recordStream,
      })
    },
  }
}

function tokensOf(prepared: Prepared, { usage, estimatedCompletionTokens }: StreamReport): TokenUsage {
  return usage ?? estimatedUsage(prepared, estimatedCompletionTokens)
}

/** What the request adds to its conversation: all from the last message of a person on. */
function newMessages({ messages }: ChatRequest): readonly object[] {
  return messages.slice(
    Math.max(
      0,
      messages.findLastIndex(({ role }) => role === 'user'),
    ),
  )
}

/** The completion service of one request. */
export type CompletionService = ReturnType<typeof completionService>

async function begin(turn: StoredTurn | null, { log }: RequestContext): Promise<StoredStream | null> {
  return turn ? new StoredStream(turn, await turn.begin(), log) : null
}
