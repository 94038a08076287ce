import type { RequestContext } from '../../../platform/context.ts'
import { toAppError } from '../../../platform/errors.ts'
import type { ConversationStub } from '../../../platform/openai/conversation-stub.ts'
import type { TokenUsage } from '../../../platform/openai/token-usage.ts'
import type { StoredBytes } from '../../../platform/stored-bytes.ts'
import { noSpan, type Span, type Tracing } from '../../../platform/tracing/tracing.ts'
import { learnTokens, type TrimmedPrompt } from '../context/index.ts'
import {
  type AskingBounds,
  type CompletionRequest,
  createModelRewriter,
  estimateMessageTokens,
  firstAnswer,
  type JsonObject,
  type Route,
  type StreamReport,
  usageOf,
} from '../providers/index.ts'
import { type TitleWriter, withTitle } from '../titles/index.ts'
import { answerBytes, firstMessage, messagesOf } from './answer.ts'
import { type AnswerImageParts, answerImages } from './answer-images.ts'
import type { ChatRequest } from './chat-request.ts'
import { clientLeft } from './client-left.ts'
import { type CompletionEnd, CompletionStream } from './completion-stream.ts'
import type { InferenceMetrics } from './inference-metrics.ts'
import {
  answeringId,
  type Candidate,
  noteFailures,
  type Prepared,
  type PreparingParts,
  prepareCompletion,
} from './prepared.ts'
import { providerSpan, spanOutcome } from './provider-span.ts'
import { StoredStream } from './stored-stream.ts'
import { type StoredTurn, storedTurn, type TurnPlace } from './turn.ts'
import { observedTurn, type TurnObserver } from './turn-observer.ts'
import { answererOf, type CallOutcome, estimatedUsage, usageRecord } from './usage-figures.ts'
import type { UsageRecorder } from './usage-recorder.ts'

/** What completions are made with. */
export interface CompletionParts extends PreparingParts, AnswerImageParts {
  readonly objects: Pick<StoredBytes, 'read' | 'write'>
  readonly usage: UsageRecorder
  readonly metrics: InferenceMetrics
  readonly tracing: Tracing
  /** Null where conversations are not named. */
  readonly titles: TitleWriter | null
  readonly bounds: AskingBounds
  /** Is told of stored turns; null where nobody wants to know. */
  readonly observe: TurnObserver | null
}

/** An answer that was read whole. */
export interface WholeAnswer {
  /** As the provider sent it. */
  readonly json: JsonObject
  /** Where it was stored; null where it was not. */
  readonly turn: TurnPlace | null
  /** The modules of its prompt, in their order. */
  readonly promptModules: readonly string[]
  /** The provider's bytes with our fields in them. */
  bytes(): Buffer
}

/** One candidate, and what it is told. */
interface Asked {
  readonly candidate: Candidate
  readonly prompt: TrimmedPrompt
  /** Ends when the outcome is recorded. */
  readonly span: Span
}

/** Makes completions for the caller. Authorise, choose and prepare are the same for whole answers and for streams. */
export function completionService(context: RequestContext, parts: CompletionParts) {
  const { usage, metrics, tracing, bounds, counting, observe, titles } = parts
  const images = answerImages(context, parts)
  const caller = ({ actor }: Prepared) => ({ caller: actor.id, signal: context.signal })
  const record = (prepared: Prepared, { candidate, prompt, span }: Asked, outcome: CallOutcome) => {
    const { tokens } = outcome
    span.end(spanOutcome(outcome))
    if (tokens.estimated !== true) learnTokens(candidate, prompt, tokens.prompt_tokens, counting)
    usage.record(usageRecord(prepared, answererOf(prepared, candidate), outcome))
    const { provider, modelId } = candidate.offer
    if (outcome.end === 'completed') metrics.health(provider.name, modelId, true)
  }

  /** The writing side of what is stored; null where nothing is. */
  const turnFor = (prepared: Prepared, candidate: Candidate): StoredTurn | null => {
    const { id, request, history, modelId } = prepared
    const stored = storedTurn({ id, modelId: answeringId(prepared, candidate) }, request, context)
    const turn = withTitle(stored, { history, asked: request.messages, context }, titles)
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
  ): Promise<{ asked: Asked; answer: Answer }> => {
    let asking: Asked | undefined
    const terms = {
      retries: bounds.retries,
      until: prepared.startedAt + bounds.totalMs,
      signal: context.signal,
      onFailure: noteFailures(context.log, metrics),
    }
    try {
      return await firstAnswer(
        prepared.candidates(),
        async (candidate) => {
          asking = undefined
          const prompt = await prepared.promptFor(candidate)
          let asked: Asked = { candidate, prompt, span: noSpan }
          try {
            const answer = await call(candidate.route, () => {
              const span = providerSpan(tracing, candidate, context)
              asked = { candidate, prompt, span }
              asking = asked
              return withTraceparent(prepared.callOf(candidate, prompt), span)
            })
            return { asked, answer }
          } catch (error) {
            if (!context.signal.aborted) asked.span.end({ failure: toAppError(error).code })
            throw error
          }
        },
        terms,
      )
    } catch (error) {
      if (!context.signal.aborted) throw error
      const conversation = prepared.history?.conversation
      if (asking) {
        const tokens = estimatedUsage(asking.prompt, 0)
        record(prepared, asking, { end: 'aborted', tokens, stream, conversation })
      }
      throw clientLeft(error)
    }
  }

  return {
    /** A whole answer, stored where a conversation takes part. @throws AppError */
    async answer(request: ChatRequest): Promise<WholeAnswer> {
      const prepared = await prepareCompletion(request, false, parts, context)
      const { asked, answer } = await ask(prepared, false, (route, request) =>
        route.whole(caller(prepared), (client) => client.complete(request())),
      )
      const told = usageOf(answer.json)
      const { json, body } = await images.kept(answer)
      const { message, finishReason } = firstMessage(json)
      const tokens = told ?? estimatedUsage(asked.prompt, estimateMessageTokens(messagesOf(json)))
      let conversation = prepared.history?.conversation ?? null
      let place: TurnPlace | null = null
      try {
        const turn = turnFor(prepared, asked.candidate)
        if (turn) {
          place = await turn.append({ status: 'COMPLETED', message, finishReason, usage: tokens })
          conversation = place.conversation
        }
      } finally {
        // The tokens are spent, also where the conversation turns out to be full.
        record(prepared, asked, { end: 'completed', tokens, stream: false, conversation })
      }
      const { trimmed } = asked.prompt
      const changes = { modelId: request.parsed.model, usage: told ? null : tokens, conversation, trimmed }
      const { promptModules } = prepared
      return { json, turn: place, promptModules, bytes: () => answerBytes(body, changes) }
    },

    /**
     * An answer in frames. Settles once the provider has answered with a stream and a stored turn has begun, so that a
     * refusal is a plain failure that stores nothing.
     * @throws AppError
     */
    async stream(request: ChatRequest): Promise<CompletionStream> {
      const prepared = await prepareCompletion(request, true, parts, context)
      const { asked, answer: upstream } = await ask(prepared, true, (route, request) =>
        route.streamed(caller(prepared), (client) => client.stream(request())),
      )
      const recordStream = (
        end: CompletionEnd,
        report: StreamReport,
        conversation: ConversationStub | null,
      ) =>
        record(prepared, asked, {
          end,
          tokens: tokensOf(asked, report),
          stream: true,
          firstTokenMs: report.firstTokenMs,
          conversation,
        })
      const read = prepared.history?.conversation ?? null
      const stored = await begin(turnFor(prepared, asked.candidate), context).catch((error: unknown) => {
        upstream.cancel()
        recordStream('failed', upstream.report(), read)
        throw error
      })
      const streamed = metrics.streaming(request.parsed.model)
      return new CompletionStream({
        upstream,
        rewrite: createModelRewriter(request.parsed.model),
        stored,
        images,
        conversation: read,
        promptModules: prepared.promptModules,
        wantsUsage: request.parsed.stream_options?.include_usage === true,
        trimmed: asked.prompt.trimmed,
        signal: context.signal,
        usageOf: (report) => tokensOf(asked, report),
        ended(...outcome) {
          streamed()
          recordStream(...outcome)
        },
      })
    },
  }
}

function withTraceparent(request: CompletionRequest, { traceparent }: Span): CompletionRequest {
  return traceparent === null ? request : { ...request, traceparent }
}

function tokensOf({ prompt }: Asked, { usage, estimatedCompletionTokens }: StreamReport): TokenUsage {
  return usage ?? estimatedUsage(prompt, estimatedCompletionTokens)
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
