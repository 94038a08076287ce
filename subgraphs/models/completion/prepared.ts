import { type Actor, requireActor } from '../../../platform/actor.ts'
import type { RequestContext } from '../../../platform/context.ts'
import { AppError } from '../../../platform/errors.ts'
import { newId } from '../../../platform/ids.ts'
import type { Logger } from '../../../platform/log.ts'
import type { StoredBytes } from '../../../platform/stored-bytes.ts'
import { openModel } from '../catalogue/access.ts'
import type { LiveCatalogue } from '../catalogue/live-catalogue.ts'
import type { ListedModel, Offer } from '../catalogue/registry.ts'
import {
  counterOf,
  PromptFitting,
  requireAnswerableInput,
  type TokenCounting,
  type TrimmedPrompt,
} from '../context/index.ts'
import { type PromptOrchestrator, plainPrompt } from '../prompts/orchestrator.ts'
import type { CompletionRequest, Route } from '../providers/index.ts'
import type { ChatRequest } from './chat-request.ts'
import type { InferenceMetrics } from './inference-metrics.ts'
import { messageImages } from './message-images.ts'
import { answerTokens, promptOf } from './prompt.ts'
import { providerBody } from './provider-body.ts'
import { readHistory, type TurnHistory } from './turn.ts'

/** One way to ask for a model: an address of one of its providers. */
export interface Candidate {
  /** The model that would answer: the one that was chosen, or one in its place. */
  readonly model: ListedModel
  readonly isFallback: boolean
  readonly offer: Offer
  readonly route: Route
}

/** The id of the model that answers: as it was asked for, or the own id of one that answers in its place. */
export function answeringId(asked: { readonly modelId: string }, { model, isFallback }: Candidate): string {
  return isFallback ? model.id : asked.modelId
}

/** A completion that is about to be asked for. */
export interface Prepared {
  /** Names its turn and its usage record. The answer itself keeps the provider's id. */
  readonly id: string
  readonly actor: Actor
  readonly request: ChatRequest
  /** As it was asked for. */
  readonly modelId: string
  /** Null where no stored conversation takes part. */
  readonly history: TurnHistory | null
  readonly startedAt: number
  /** The modules of its prompt, in their order. */
  readonly promptModules: readonly string[]
  /** By model, in the order in which they are tried: the chosen one, then those that may answer in its place. */
  candidates(): Iterable<readonly Candidate[]>
  /** The whole prompt within the limits of the candidate's model. At once where nothing has to be counted. */
  promptFor(candidate: Candidate): TrimmedPrompt | Promise<TrimmedPrompt>
  /** The call for one of the candidates. */
  callOf(candidate: Candidate, prompt: TrimmedPrompt): CompletionRequest
}

/** What completions are prepared with. */
export interface PreparingParts {
  readonly catalogue: LiveCatalogue
  readonly counting: TokenCounting
  /** Null where prompts are not orchestrated. */
  readonly orchestrator: PromptOrchestrator | null
  /** Where the bytes of media are. */
  readonly objects: Pick<StoredBytes, 'read'>
}

/**
 * Authorises, chooses the model and reads what goes before the request's messages.
 * @throws AppError `missing_credentials`, `model_not_found`, `conversation_not_found`, `input_too_large`,
 * `invalid_parameter` and the like
 */
export async function prepareCompletion(
  request: ChatRequest,
  streamed: boolean,
  { catalogue, counting, orchestrator, objects }: PreparingParts,
  context: RequestContext,
): Promise<Prepared> {
  const actor = requireActor(context.actor)
  const model = chooseModel(catalogue, request, actor)
  const startedAt = performance.now()
  await requireAnswerableInput(request.messages, () => counterOf({ model, offer: model.offers[0] }, counting))
  const history = await readHistory(request, context)
  const subject = { request, model, history }
  const { before, modules } = orchestrator
    ? await orchestrator.orchestrate(subject, context)
    : plainPrompt(subject)
  const images = await messageImages(request.messages, before, objects, context)
  const fitting = new PromptFitting(
    promptOf(request, before),
    (answering) => answerTokens(request, answering),
    counting,
  )
  const bodyFor = ({ model: { entry }, offer }: Candidate, prompt: TrimmedPrompt) => {
    const defaults = entry?.supportedParameters.default ?? {}
    const trimmed = prompt.trimmed ? prompt : null
    const told = images
      ? { tools: trimmed?.tools ?? null, messages: images.shownIn(prompt.messages) }
      : trimmed
    return providerBody(request, { before, defaults, streamed, told })(offer.modelId)
  }
  const { requestId, traceparent, signal } = context
  return {
    id: newId('completion'),
    actor,
    request,
    modelId: request.parsed.model,
    history,
    startedAt,
    promptModules: modules,
    *candidates() {
      yield candidatesOf(model, catalogue)
      for (const other of fallbacksOf(model, request, actor, catalogue))
        yield candidatesOf(other, catalogue, true)
    },
    promptFor: (candidate) => {
      const prompt = fitting.for(candidate)
      return images ? images.loadedFor(candidate.offer.provider, prompt) : prompt
    },
    callOf: (candidate, prompt) => ({
      body: bodyFor(candidate, prompt),
      requestId,
      traceparent,
      signal,
      startedAt,
    }),
  }
}

export function candidatesOf(
  model: ListedModel,
  { clients }: LiveCatalogue,
  isFallback = false,
): Candidate[] {
  return model.offers.flatMap((offer) =>
    clients
      .inOrder(offer.provider)
      .map((endpoint) => ({ model, isFallback, offer, route: endpoint.route(offer.modelId) })),
  )
}

/** Logs and counts: a failure that the caller does not see where another provider answers. */
export function noteFailures(log: Logger, metrics: Pick<InferenceMetrics, 'failed'>) {
  return ({ model, offer: { provider } }: Candidate, err: unknown) => {
    log.warn({ err, model: model.id, provider: provider.name }, 'a provider did not answer')
    metrics.failed(provider.name, err)
  }
}

/**
 * The models that may answer in a model's place: those that the caller could have asked for the same. An instruct companion
 * without any has those of the model that was asked for.
 */
function fallbacksOf(
  model: ListedModel,
  { parsed }: ChatRequest,
  actor: Actor,
  { registry }: LiveCatalogue,
): ListedModel[] {
  const named = registry.model(parsed.model)
  const own = registry.fallbacksOf(model)
  const ids = own.length === 0 && named ? registry.fallbacksOf(named) : own
  return ids.flatMap((id) => {
    const other = openModel(registry, id, actor)
    return other && refusalOf(other, parsed) === null ? [other] : []
  })
}

/** @throws AppError `model_not_found`, also where the model is closed to the caller (contract 1.7) */
export function requireModel({ registry }: LiveCatalogue, id: string, actor: Actor): ListedModel {
  const model = openModel(registry, id, actor)
  if (!model) throw new AppError('model_not_found', 'There is no such model.', { param: 'model' })
  return model
}

/** @throws AppError `model_not_found`, `deep_research_unsupported`, `invalid_parameter` */
function chooseModel(catalogue: LiveCatalogue, { parsed }: ChatRequest, actor: Actor): ListedModel {
  const named = requireModel(catalogue, parsed.model, actor)
  const refusal = refusalOf(named, parsed)
  if (refusal) throw refusal
  const instruct = parsed.enable_thinking === false && !parsed.image ? named.instructModelId : null
  return (instruct === null ? null : openModel(catalogue.registry, instruct, actor)) ?? named
}

/** Why a model can't do what is asked; null where nothing speaks against it. */
function refusalOf({ capabilities }: ListedModel, { deep_research }: ChatRequest['parsed']): AppError | null {
  if (capabilities.embeddings === true && !capabilities.tools) {
    return new AppError('invalid_parameter', 'This model makes embeddings, it does not chat.', {
      param: 'model',
    })
  }
  if (!deep_research || capabilities.reasoning === true) return null
  return new AppError('deep_research_unsupported', 'Deep research needs a model that reasons.', {
    param: 'deep_research',
  })
}
