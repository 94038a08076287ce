import { type Actor, requireActor } from '../../../platform/actor.ts'
import type { RequestContext } from '../../../platform/context.ts'
import { AppError } from '../../../platform/errors.ts'
import type { GuardedFetch } from '../../../platform/guarded-fetch/index.ts'
import { newId } from '../../../platform/ids.ts'
import type { ConversationStub } from '../../../platform/openai/conversation-stub.ts'
import type { StoredBytes } from '../../../platform/stored-bytes.ts'
import { usageRecord } from '../completion/usage-figures.ts'
import type { UsageRecorder } from '../completion/usage-recorder.ts'
import { type OwnImage, type OwnImages, ownImages } from '../media/own-images.ts'
import { firstAnswer, type JsonObject, malformedAnswer } from '../providers/index.ts'
import type { ImageCall } from './image-call.ts'
import { askedModel, type ImageMaker, imageMakers, type MakerChoice } from './image-makers.ts'
import { namedConversation, storeImageTurn } from './image-turn.ts'
import { type ImageUsageFigures, imageUsage, tokensOf } from './image-usage.ts'
import { type MadeImage, madeImages } from './made-images.ts'
import { type EnclosedImage, editForm, editPath, generationBody } from './provider-request.ts'

/** What images are made with. */
export interface ImageParts extends MakerChoice {
  readonly isEnabled: boolean
  readonly defaultSize: string
  /** `IMAGE_MAX_N`. */
  readonly mostImages: number
  /** Milliseconds for the provider's whole work. */
  readonly timeoutMs: number
  readonly retries: number
  readonly outbound: GuardedFetch
  readonly objects: Pick<StoredBytes, 'read' | 'write'>
  readonly usage: UsageRecorder
}

/** An image that is kept. */
export interface KeptImage extends MadeImage {
  /** Of its media. */
  readonly id: string
  /** A link to it. */
  readonly url: string
}

/** What was made. */
export interface GeneratedImages {
  readonly createdAt: Date
  /** As it was asked for. */
  readonly modelId: string
  readonly images: readonly KeptImage[]
  readonly usage: ImageUsageFigures
  /** Null where no conversation has them. */
  readonly conversation: ConversationStub | null
}

/** What the images of a request may have together, in bytes: they are sent at once. */
const mostSourceBytes = 50_000_000

/** Makes images for the caller (contract 2.7). */
export function imageService(context: RequestContext, parts: ImageParts) {
  const own = ownImages(context, parts.objects)

  return {
    /** Whether anybody would make images at all. */
    isAvailable(): boolean {
      const { isEnabled, development, catalogue } = parts
      return (
        isEnabled &&
        (development !== null || catalogue.registry.providers.some(({ category }) => category === 'image'))
      )
    },

    /** @throws AppError */
    async make(call: ImageCall): Promise<GeneratedImages> {
      const actor = requireActor(context.actor)
      if (!parts.isEnabled) throw new AppError('not_implemented', 'Image generation is switched off.')
      assertFew(call, parts)
      const makers = imageMakers(call, parts, actor)
      const conversation = await namedConversation(call, context)
      const sources = await sourcesOf(call, own)
      const { answer, usage } = await ask({ call, makers, sources, conversation, actor }, parts, own, context)
      const data = answer.data as readonly JsonObject[]
      const { outbound, timeoutMs } = parts
      const made = await madeImages(data, { outbound, timeoutMs, signal: context.signal })
      const images = await Promise.all(made.map((image) => kept(image, own)))
      const isStored = conversation !== null && call.request.store !== false
      const modelId = askedModel(call, parts)
      if (isStored) {
        const turn = {
          call,
          modelId,
          sources: sources.images.map(({ id }) => id),
          made: images.map(({ id }) => id),
          revisedPrompt: images[0]?.revisedPrompt ?? null,
        }
        await storeImageTurn(conversation.id, turn, context)
      }
      return { createdAt: new Date(), modelId, images, usage, conversation: isStored ? conversation : null }
    },
  }
}

/** The image service of one request. */
export type ImageService = ReturnType<typeof imageService>

function assertFew({ request: { n } }: ImageCall, { mostImages }: ImageParts): void {
  if ((n ?? 1) <= mostImages) return
  throw new AppError('invalid_parameter', `n must be at most ${mostImages}.`, { param: 'n' })
}

interface Sources {
  readonly images: readonly OwnImage[]
  readonly mask: OwnImage | null
}

/** @throws AppError `input_too_large`, and what `OwnImages.of` throws */
async function sourcesOf(call: ImageCall, own: OwnImages): Promise<Sources> {
  if (call.task === 'generate') return { images: [], mask: null }
  const { image, mask } = call.request
  const images: OwnImage[] = []
  const written = Array.isArray(image) ? image : [image]
  // One after the other: each may be fetched, and is held while it is stored.
  for (const [at, one] of written.entries())
    images.push(await own.of(one, Array.isArray(image) ? `image[${at}]` : 'image'))
  const sources = { images, mask: mask == null ? null : await own.of(mask, 'mask') }
  const bytes = [...images, ...(sources.mask ? [sources.mask] : [])].reduce((sum, one) => sum + one.bytes, 0)
  if (bytes <= mostSourceBytes) return sources
  throw new AppError('input_too_large', 'The images are too large to be sent together.', { param: 'image' })
}

interface Asking {
  readonly call: ImageCall
  readonly makers: readonly ImageMaker[]
  readonly sources: Sources
  readonly conversation: ConversationStub | null
  readonly actor: Actor
}

/** Asks one maker after the other, and accounts for what it took. */
async function ask(
  { call, makers, sources, conversation, actor }: Asking,
  parts: ImageParts,
  own: OwnImages,
  context: RequestContext,
): Promise<{ answer: JsonObject; usage: ImageUsageFigures }> {
  const { retries, timeoutMs, usage: recorder } = parts
  const { requestId, traceparent, signal, log } = context
  const startedAt = performance.now()
  const id = newId('completion')
  const modelId = askedModel(call, parts)
  const send = await sender(call, sources, parts, own)
  const terms = {
    retries,
    until: startedAt + timeoutMs,
    signal,
    onFailure: ({ provider }: ImageMaker, err: unknown) =>
      log.warn({ err, model: modelId, provider: provider.name }, 'a provider made no images'),
  }
  const { maker, answer } = await firstAnswer(
    [makers],
    async (maker) => ({
      maker,
      answer: await maker.route.whole({ caller: actor.id, signal }, (client) =>
        send(maker, client, { requestId, traceparent, signal, startedAt, totalMs: timeoutMs }),
      ),
    }),
    terms,
  )
  const usage = imageUsage(answer.json, call.request.prompt)
  const outcome = { end: 'completed', tokens: tokensOf(usage), stream: false, conversation } as const
  const answerer = { model: modelId, provider: maker.provider.name }
  recorder.record(usageRecord({ id, actor, modelId, startedAt }, answerer, outcome))
  return { answer: answer.json, usage }
}

type Client = Parameters<Parameters<ImageMaker['route']['whole']>[1]>[0]
type CallTerms = Omit<Parameters<Client['generateImages']>[0], 'body'>

/** How a request is put to a maker: the bytes of its images are read once, whoever is asked. */
async function sender(call: ImageCall, sources: Sources, { defaultSize }: ImageParts, own: OwnImages) {
  if (call.task === 'generate') {
    return (maker: ImageMaker, client: Client, terms: CallTerms) =>
      client.generateImages({ ...terms, body: generationBody(call.request, maker, defaultSize) })
  }
  const enclosed = {
    images: await Promise.all(sources.images.map((image) => enclose(image, own))),
    mask: sources.mask && (await enclose(sources.mask, own)),
  }
  return (maker: ImageMaker, client: Client, terms: CallTerms) =>
    client.editImages({ ...terms, form: editForm(call.request, maker, enclosed), path: editPath(maker) })
}

async function enclose(image: OwnImage, own: OwnImages): Promise<EnclosedImage> {
  return { bytes: await own.bytes(image), mimeType: image.mimeType }
}

/** @throws AppError `provider_error` where the provider sent something else than an image */
async function kept(image: MadeImage, own: OwnImages): Promise<KeptImage> {
  try {
    return { ...image, ...(await own.keep(image.bytes)) }
  } catch (error) {
    if (error instanceof AppError && error.status < 500) throw malformedAnswer('sent what is no image')
    throw error
  }
}
