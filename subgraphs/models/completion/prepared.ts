import { type Actor, requireActor } from '../../../platform/actor.ts'
import type { RequestContext } from '../../../platform/context.ts'
import { AppError } from '../../../platform/errors.ts'
import { newId } from '../../../platform/ids.ts'
import { openModel } from '../catalogue/access.ts'
import type { LiveCatalogue } from '../catalogue/live-catalogue.ts'
import type { ListedModel, Offer } from '../catalogue/registry.ts'
import type { CompletionRequest, Provider } from '../providers/index.ts'
import type { ChatRequest } from './chat-request.ts'
import { researchMessage } from './deep-research.ts'
import { providerBody } from './provider-body.ts'
import { readHistory, type TurnHistory } from './turn.ts'

/** One way to ask for a model: an address of one of its providers. */
export interface Candidate {
  readonly offer: Offer
  readonly client: Provider
}

/** A completion that is about to be asked for. */
export interface Prepared {
  /** Names its turn and its usage record. The answer itself keeps the provider's id. */
  readonly id: string
  readonly actor: Actor
  readonly request: ChatRequest
  /** As it was asked for. */
  readonly modelId: string
  /** In the order in which they are tried. */
  readonly candidates: readonly Candidate[]
  /** Null where no stored conversation takes part. */
  readonly history: TurnHistory | null
  readonly startedAt: number
  /** The call for one of the candidates. */
  callOf(candidate: Candidate): CompletionRequest
}

/**
 * Authorises, chooses the model and reads what goes before the request's messages.
 * @throws AppError `missing_credentials`, `model_not_found`, `conversation_not_found`, `invalid_parameter` and the like
 */
export async function prepareCompletion(
  request: ChatRequest,
  streamed: boolean,
  catalogue: LiveCatalogue,
  context: RequestContext,
): Promise<Prepared> {
  const actor = requireActor(context.actor)
  const model = chooseModel(catalogue, request, actor)
  const startedAt = performance.now()
  const history = await readHistory(request, context)
  const body = providerBody(request, {
    before: [...(request.parsed.deep_research ? [researchMessage] : []), ...(history?.messages ?? [])],
    defaults: model.entry?.supportedParameters.default ?? {},
    streamed,
  })
  const { requestId, signal } = context
  return {
    id: newId('completion'),
    actor,
    request,
    modelId: request.parsed.model,
    candidates: candidatesOf(model, catalogue),
    history,
    startedAt,
    callOf: ({ offer }) => ({ body: body(offer.modelId), requestId, signal }),
  }
}

export function candidatesOf({ offers }: ListedModel, { clients }: LiveCatalogue): Candidate[] {
  return offers.flatMap((offer) => clients.inOrder(offer.provider).map((client) => ({ offer, client })))
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
  if (named.capabilities.embeddings === true && !named.capabilities.tools) {
    throw new AppError('invalid_parameter', 'This model makes embeddings, it does not chat.', {
      param: 'model',
    })
  }
  if (parsed.deep_research && named.capabilities.reasoning !== true) {
    throw new AppError('deep_research_unsupported', 'Deep research needs a model that reasons.', {
      param: 'deep_research',
    })
  }
  const instruct = parsed.enable_thinking === false && !parsed.image ? named.instructModelId : null
  return (instruct === null ? null : openModel(catalogue.registry, instruct, actor)) ?? named
}
