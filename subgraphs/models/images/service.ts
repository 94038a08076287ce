import { type Actor, requireActor } from '../../../platform/actor.ts'
import type { RequestContext } from '../../../platform/context.ts'
import { AppError } from '../../../platform/errors.ts'
import type { GuardedFetch } from '../../../platform/guarded-fetch/index.ts'
import { newId } from '../../../platform/ids.ts'
import type { ConversationStub } from '../../../platform/openai/conversation-stub.ts'
import type { StoredBytes } from '../../../platform/stored-bytes.ts'
import { clientLeft } from '../completion/client-left.ts'
import type { CompletionEnd } from '../completion/completion-stream.ts'
import { usageRecord } from '../completion/usage-figures.ts'
import type { UsageRecorder } from '../completion/usage-recorder.ts'
import { type OwnImages, ownImages } from '../media/own-images.ts'
import { firstAnswer, type JsonObject, malformedAnswer } from '../providers/index.ts'
import type { HeldBytes } from './held-bytes.ts'
import type { ImageCall } from './image-call.ts'
import { askedModel, type ImageMaker, imageMakers, type MakerChoice } from './image-makers.ts'
import { type ImageRendering, renderingOf } from './image-rendering.ts'
import { bytesOf, enclosedImages, type ImageSources, sourcesOf } from './image-sources.ts'
import { namedConversation, storeImageTurn } from './image-turn.ts'
import { type ImageUsageFigures, imageUsage, tokensOf } from './image-usage.ts'
import { type MadeImage, madeImages } from './made-images.ts'
import { editForm, editPath, generationBody } from './provider-request.ts'

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
  readonly held: HeldBytes
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
  /** How they were made, as far as the provider says. */
  readonly rendering: ImageRendering
  readonly usage: ImageUsageFigures
  /** Null where no conversation has them. */
  readonly conversation: ConversationStub | null
}

/** Images that were paid for are kept also where the client has left meanwhile, but not for ever. */
const keepingMs = 60_000

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
      const asking = { call, makers, sources, conversation, actor }
      const who = { caller: actor.id, signal: context.signal }
      const { answer, usage } = await parts.held.during(bytesOf(sources), who, () =>
        ask(asking, parts, own, context),
      )
      const images = await keptImages(answer.data as readonly JsonObject[], parts, context)
      const modelId = askedModel(call, parts)
      const turn = {
        call,
        modelId,
        sources: sources.images.map(({ id }) => id),
        made: images.map(({ id }) => id),
        revisedPrompt: images[0]?.revisedPrompt ?? null,
      }
      const isStored =
        conversation !== null &&
        call.request.store !== false &&
        (await storeImageTurn(conversation.id, turn, context))
      return {
        createdAt: new Date(),
        modelId,
        images,
        rendering: renderingOf(answer),
        usage,
        conversation: isStored ? conversation : null,
      }
    },
  }
}

/** The image service of one request. */
export type ImageService = ReturnType<typeof imageService>

function assertFew({ request: { n } }: ImageCall, { mostImages }: ImageParts): void {
  if ((n ?? 1) <= mostImages) return
  throw new AppError('invalid_parameter', `n must be at most ${mostImages}.`, { param: 'n' })
}

interface Asking {
  readonly call: ImageCall
  readonly makers: readonly ImageMaker[]
  readonly sources: ImageSources
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
  const send = sender(call, sources, parts, own)
  const record = (maker: ImageMaker, end: CompletionEnd, usage: ImageUsageFigures) =>
    recorder.record(
      usageRecord(
        { id, actor, modelId, startedAt },
        { model: modelId, provider: maker.provider.name },
        { end, tokens: tokensOf(usage), stream: false, conversation },
      ),
    )
  const terms = {
    retries,
    until: startedAt + timeoutMs,
    signal,
    onFailure: ({ provider }: ImageMaker, err: unknown) =>
      log.warn({ err, model: modelId, provider: provider.name }, 'a provider made no images'),
  }
  let asking: ImageMaker | undefined
  const askOne = async (maker: ImageMaker) => {
    asking = undefined
    const answer = await maker.route.whole({ caller: actor.id, signal }, (client) => {
      asking = maker
      return send(maker, client, { requestId, traceparent, signal, startedAt, totalMs: timeoutMs })
    })
    return { maker, answer }
  }
  const { prompt } = call.request
  const { maker, answer } = await firstAnswer([makers], askOne, terms).catch((error: unknown) => {
    if (!signal.aborted) throw error
    // A client that leaves while a provider works for it has used its prompt.
    if (asking) record(asking, 'aborted', imageUsage({}, prompt))
    throw clientLeft(error)
  })
  const usage = imageUsage(answer.json, prompt)
  record(maker, 'completed', usage)
  return { answer: answer.json, usage }
}

type Client = Parameters<Parameters<ImageMaker['route']['whole']>[1]>[0]
type CallTerms = Omit<Parameters<Client['generateImages']>[0], 'body'>

/** How a request is put to a maker. */
function sender(call: ImageCall, sources: ImageSources, { defaultSize }: ImageParts, own: OwnImages) {
  if (call.task === 'generate') {
    return (maker: ImageMaker, client: Client, terms: CallTerms) =>
      client.generateImages({ ...terms, body: generationBody(call.request, maker, defaultSize) })
  }
  return async (maker: ImageMaker, client: Client, terms: CallTerms) => {
    const form = editForm(call.request, maker, await enclosedImages(sources, own))
    return client.editImages({ ...terms, form, path: editPath(maker) })
  }
}

/** Keeps the images of an answer, in their order. @throws AppError `provider_error` for an answer that has none, or too much */
async function keptImages(
  data: readonly JsonObject[],
  { outbound, objects, timeoutMs }: ImageParts,
  base: RequestContext,
): Promise<KeptImage[]> {
  const context = { ...base, signal: AbortSignal.timeout(keepingMs) }
  const own = ownImages(context, objects)
  const images: KeptImage[] = []
  for await (const image of madeImages(data, { outbound, timeoutMs, signal: context.signal }))
    images.push(await kept(image, own))
  return images
}

/** @throws AppError `provider_error` where the provider sent something else than an image */
async function kept(image: MadeImage, own: OwnImages): Promise<KeptImage> {
  try {
    return { ...image, ...(await own.keep(image.bytes)) }
  } catch (error) {
    if (error instanceof AppError && error.status < 500) throw malformedAnswer('sent what is no image', error)
    throw error
  }
}
