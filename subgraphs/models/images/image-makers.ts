import type { Actor } from '../../../platform/actor.ts'
import { AppError } from '../../../platform/errors.ts'
import { openModel } from '../catalogue/access.ts'
import type { LiveCatalogue } from '../catalogue/live-catalogue.ts'
import type { ListedModel, ModelRegistry, Offer } from '../catalogue/registry.ts'
import type { Provider } from '../entities.ts'
import type { GuardedEndpoint, Route } from '../providers/index.ts'
import type { ImageCall } from './image-call.ts'

/** One way to have images made: an address of a provider, or what is built in. */
export interface ImageMaker {
  /** The provider's own id of the model. */
  readonly modelId: string
  readonly provider: Pick<Provider, 'name' | 'vendor' | 'metadata'>
  readonly route: Route
}

/** What tells who makes images. */
export interface MakerChoice {
  readonly catalogue: LiveCatalogue
  /** `IMAGE_DEFAULT_MODEL`. */
  readonly defaultModel: string
  /** The built-in provider, which draws where nobody else does; null where it is off. */
  readonly development: GuardedEndpoint | null
}

/** Contract 2.7: the flags of a provider's metadata that make it the one for a task. */
const flags = {
  generate: 'default_provider_image_generate',
  edit: 'default_provider_image_edit',
} as const

/** The id of the model that a request asks for. */
export function askedModel(
  { request }: ImageCall,
  { defaultModel }: Pick<MakerChoice, 'defaultModel'>,
): string {
  return request.model ?? defaultModel
}

/**
 * Who makes the images of a request, in the order in which they are asked: the provider that it names; else those that list the
 * model that it names; else the provider for such images; else what is built in.
 * @throws AppError `model_not_found` for a model that is closed to the caller, `not_found` where nobody makes images
 */
export function imageMakers(call: ImageCall, choice: MakerChoice, actor: Actor): readonly ImageMaker[] {
  const { catalogue, development } = choice
  const { registry } = catalogue
  const modelId = askedModel(call, choice)
  if (isClosed(modelId, registry, actor))
    throw new AppError('model_not_found', 'There is no such model.', { param: 'model' })
  const listed = openModel(registry, modelId, actor)
  const wanted = call.request.provider_id ?? null
  if (wanted !== null) return at(namedOffer(wanted, modelId, listed, choice), choice)
  if (call.request.model != null && listed && !listed.isDevelopment)
    return listed.offers.flatMap((offer) => at(offer, choice))
  const provider = usualProvider(registry.providers, flags[call.task])
  if (provider) return at({ provider, modelId }, choice)
  if (!development)
    throw new AppError('not_found', 'There is no provider of images.', { param: 'provider_id' })
  return [{ modelId, provider: builtIn, route: development.route('images') }]
}

const builtIn = { name: 'Jan development', vendor: 'jan', metadata: {} }

/** Whether every model of that name, the platform's or a provider's own, is closed to the caller or switched off. */
function isClosed(name: string, registry: ModelRegistry, actor: Actor): boolean {
  if (registry.model(name)) return !openModel(registry, name, actor)
  const ids = registry.idsNamed(name)
  return ids.length > 0 && ids.every((id) => !openModel(registry, id, actor))
}

/** A provider of images makes whatever it is asked for; another one only what it lists. */
function namedOffer(
  providerId: string,
  modelId: string,
  listed: ListedModel | null,
  { catalogue }: MakerChoice,
): Offer {
  const provider = catalogue.registry.provider(providerId)
  if (provider?.category === 'image') return { provider, modelId }
  const offer = listed?.offers.find((one) => one.provider === provider)
  if (!offer)
    throw new AppError('not_found', 'There is no such provider of images.', { param: 'provider_id' })
  return offer
}

/** The one that is flagged, else any. */
function usualProvider(providers: readonly Provider[], flag: string): Provider | undefined {
  const ofImages = providers.filter(({ category }) => category === 'image')
  return ofImages.find(({ metadata }) => metadata[flag] === true) ?? ofImages[0]
}

function at({ provider, modelId }: Offer, { catalogue }: MakerChoice): ImageMaker[] {
  const way = provider.category === 'image' ? wayToImages : modelId
  return catalogue.clients
    .inOrder(provider)
    .map((endpoint) => ({ modelId, provider, route: endpoint.route(way) }))
}

/** The one way to a provider of images: ways are kept for ever, and one for each name that anybody thinks of had no end. */
const wayToImages = 'images'
