import type { RequestContext } from '../../../platform/context.ts'
import { mediaIdIn } from '../../../platform/media-reference.ts'
import type { StoredBytes } from '../../../platform/stored-bytes.ts'
import { type FetchTerms, foreignImage } from '../media/foreign-image.ts'
import { ownImages } from '../media/own-images.ts'
import { isObject, type JsonObject, parseObject, spliceFields } from '../providers/index.ts'

/** The images that a model answers with: kept as media, and told as links with their ids (contract 2.1). */
export interface AnswerImages {
  /** A whole answer, the same where it has no images. An image that can't be kept stays as it came. */
  kept(answer: {
    readonly json: JsonObject
    readonly body: Buffer
  }): Promise<{ json: JsonObject; body: Buffer }>
  /** Whether a frame may have images: costs a search, and nothing is parsed. */
  mayBeIn(frame: Buffer): boolean
  /** The same for a frame of a stream. */
  keptInFrame(frame: Buffer): Promise<Buffer>
}

/** What images are kept with. */
export interface AnswerImageParts extends Pick<FetchTerms, 'outbound'> {
  readonly objects: Pick<StoredBytes, 'read' | 'write'>
}

const fetchMs = 10_000
/** The most images of one answer, and of all frames of one stream together: what comes after them stays as it came. */
const mostImages = 32
/** How providers spell it: a list beside the text, or parts of the content. Inside a text its quotes would be escaped. */
const needles = [Buffer.from('"images":'), Buffer.from('"image_url":')]

export function answerImages(context: RequestContext, { objects, outbound }: AnswerImageParts): AnswerImages {
  const own = ownImages(context, objects)
  const terms = { outbound, timeoutMs: fetchMs, signal: context.signal }
  let left = mostImages
  const mayBeIn = (bytes: Buffer) => needles.some((needle) => bytes.includes(needle))

  /** The part as it is told, with the id of its media; the same where it is no image, or can't be kept. */
  async function keptPart(part: unknown): Promise<unknown> {
    const url = urlOf(part)
    if (url === null || mediaIdIn(url) !== null || left === 0) return unclaimed(part)
    left -= 1
    try {
      const { id, url: link } = await own.keep(await foreignImage(url, terms))
      return withLink(part as JsonObject, id, link)
    } catch (error) {
      if (!context.signal.aborted) context.log.warn({ err: error }, 'an image of an answer could not be kept')
      return unclaimed(part)
    }
  }

  /** One after the other: however many links there are, one of them is held at a time. */
  async function keptParts(parts: readonly unknown[]): Promise<unknown[]> {
    const told: unknown[] = []
    for (const part of parts) told.push(await keptPart(part))
    return told
  }

  async function keptMessage(message: JsonObject): Promise<JsonObject> {
    const { content, images } = message
    return {
      ...message,
      ...(Array.isArray(content) ? { content: await keptParts(content) } : {}),
      ...(Array.isArray(images) ? { images: await keptParts(images) } : {}),
    }
  }

  /** @param part `message` of whole answers, `delta` of frames */
  async function keptChoices(choices: readonly unknown[], part: 'message' | 'delta'): Promise<unknown[]> {
    const told: unknown[] = []
    for (const choice of choices) {
      const message = isObject(choice) ? choice[part] : null
      told.push(
        isObject(choice) && isObject(message) ? { ...choice, [part]: await keptMessage(message) } : choice,
      )
    }
    return told
  }

  return {
    async kept({ json, body }) {
      if (!mayBeIn(body)) return { json, body }
      const choices = await keptChoices(json.choices as unknown[], 'message')
      return { json: { ...json, choices }, body: spliceFields(body, { choices: JSON.stringify(choices) }) }
    },

    mayBeIn,

    async keptInFrame(frame) {
      if (!mayBeIn(frame)) return frame
      const choices = parseObject(frame)?.choices
      if (!Array.isArray(choices)) return frame
      return spliceFields(frame, {
        choices: JSON.stringify(await keptChoices(choices, 'delta')),
      })
    },
  }
}

/** A part that is not kept, without an id of ours: whatever the provider means by it, it is not known as the caller's. */
function unclaimed(part: unknown): unknown {
  if (!isObject(part) || typeof part.id !== 'string' || mediaIdIn(part.id) === null) return part
  const { id: _, ...rest } = part
  return rest
}

function urlOf(part: unknown): string | null {
  const image = (part as { image_url?: unknown } | null)?.image_url
  const url = typeof image === 'string' ? image : (image as { url?: unknown } | null | undefined)?.url
  return typeof url === 'string' && /^(data:image\/|https?:)/.test(url) ? url : null
}

function withLink(part: JsonObject, id: string, url: string): JsonObject {
  const { image_url: image } = part
  return { ...part, image_url: typeof image === 'string' ? url : { ...(image as JsonObject), url }, id }
}
