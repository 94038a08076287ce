import { buffer } from 'node:stream/consumers'
import type { RequestContext } from '../../../platform/context.ts'
import { AppError } from '../../../platform/errors.ts'
import { mediaIdIn } from '../../../platform/media-reference.ts'
import type { StoredBytes } from '../../../platform/stored-bytes.ts'
import type { Offer } from '../catalogue/registry.ts'
import type { TrimmedPrompt } from '../context/index.ts'
import { ShownMediaDocument, type ShownMediaQuery } from '../operations.generated.ts'
import type { JsonObject } from '../providers/index.ts'

type Shown = ShownMediaQuery['resolveMedia']['media'][number]

/** The images of a prompt that are named by the ids of media (contract 2.1). */
export interface MessageImages {
  /**
   * Reads what the provider is to be shown of a prompt's images. Rejects with `media_storage_failed`, and with `input_too_large`
   * where the request's own images are too much to be sent within it; those of history are left out then.
   */
  loadedFor(
    provider: Offer['provider'],
    prompt: TrimmedPrompt | Promise<TrimmedPrompt>,
  ): Promise<TrimmedPrompt>
  /** The messages with what was loaded last in place of ids. */
  shownIn(messages: readonly JsonObject[]): readonly JsonObject[]
}

/** Contract 8.11. */
const resolveMs = 5_000
/** As many as the graph resolves at once. */
const mostAtOnce = 100
const gone = { type: 'text', text: '[an image that is no longer there]' }
const leftOut = { type: 'text', text: '[an image that is left out: there are too many]' }
/** What OpenAI takes at most in one request. The ids of 15 images of 20 MB would be half a gigabyte of body. */
const mostInlineCharacters = 50_000_000

/**
 * Null where no image is named by an id, as in nearly all requests. What history names and is no longer there is told as such.
 * @param asked the request's own messages @param before what goes before them
 * @throws AppError `invalid_media_reference` naming the part for an id in the request that names none of the caller's media
 */
export async function messageImages(
  asked: readonly JsonObject[],
  before: readonly JsonObject[],
  objects: Pick<StoredBytes, 'read'>,
  context: RequestContext,
): Promise<MessageImages | null> {
  const wanted = new Set(
    [...before, ...asked].flatMap((message) => partsOf(message).flatMap((part) => idIn(part) ?? [])),
  )
  if (wanted.size === 0) return null
  const known = await shownMedia([...wanted], context)
  assertKnown(asked, known)
  const shown = new Map<string, string>()
  const omitted = new Set<string>()
  /** By id: candidates that are asked one after the other are shown the same. */
  const read = new Map<string, Promise<string | null>>()

  return {
    async loadedFor({ metadata }, fitting) {
      const prompt = await fitting
      const isByUrl = metadata.image_input === 'url'
      const left = timesNamed(prompt.messages)
      shown.clear()
      omitted.clear()
      let characters = 0
      for (const [id, times] of left) {
        const media = known.get(id)
        if (!media) continue
        if (isByUrl) {
          shown.set(id, media.link.url)
          continue
        }
        const size = times * inlineCharacters(media)
        if (characters + size > mostInlineCharacters) {
          assertNotAsked(id, asked)
          omitted.add(id)
          continue
        }
        characters += size
        const reading = read.get(id) ?? dataUrl(media, objects, context.signal)
        read.set(id, reading)
        const url = await reading
        if (url !== null) shown.set(id, url)
      }
      return prompt
    },

    shownIn: (messages) =>
      messages.map((message) => {
        const parts = partsOf(message)
        if (!parts.some((part) => idIn(part) !== null)) return message
        return { ...message, content: parts.map((part) => withImage(part, { shown, omitted })) }
      }),
  }
}

async function shownMedia(ids: readonly string[], context: RequestContext): Promise<Map<string, Shown>> {
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(resolveMs)])
  const known = new Map<string, Shown>()
  try {
    for (let start = 0; start < ids.length; start += mostAtOnce) {
      const some = ids.slice(start, start + mostAtOnce)
      const { resolveMedia } = await context.graph.execute(
        ShownMediaDocument,
        { ids: some },
        { ...context, signal },
      )
      for (const media of resolveMedia.media) known.set(media.id, media)
    }
  } catch (error) {
    if (!signal.aborted || context.signal.aborted) throw error
    throw new AppError('service_unavailable', 'Media can’t be read at the moment. Try again.', {
      cause: error,
      retryAfter: 1,
    })
  }
  return known
}

/** How often each id is named, the newest first. */
function timesNamed(messages: readonly JsonObject[]): Map<string, number> {
  const times = new Map<string, number>()
  for (const message of messages.toReversed()) {
    for (const part of partsOf(message)) {
      const id = idIn(part)
      if (id !== null) times.set(id, (times.get(id) ?? 0) + 1)
    }
  }
  return times
}

/** Base64 has four characters for three bytes. */
function inlineCharacters({ bytes }: Shown): number {
  return Math.ceil(bytes / 3) * 4
}

function assertNotAsked(id: string, asked: readonly JsonObject[]): void {
  for (const [at, message] of asked.entries()) {
    const place = partsOf(message).findIndex((part) => idIn(part) === id)
    if (place === -1) continue
    throw new AppError('input_too_large', 'The images are too large to be sent together.', {
      param: `messages[${at}].content[${place}].image_url.url`,
    })
  }
}

function assertKnown(asked: readonly JsonObject[], known: ReadonlyMap<string, Shown>): void {
  for (const [at, message] of asked.entries()) {
    for (const [place, part] of partsOf(message).entries()) {
      const id = idIn(part)
      if (id === null || known.has(id)) continue
      throw new AppError('invalid_media_reference', `There is no media ${id}.`, {
        param: `messages[${at}].content[${place}].image_url.url`,
      })
    }
  }
}

async function dataUrl(
  { mimeType, storageKey }: Shown,
  objects: Pick<StoredBytes, 'read'>,
  signal: AbortSignal,
): Promise<string | null> {
  const bytes = await objects.read(storageKey, { signal })
  return bytes && `data:${mimeType};base64,${(await buffer(bytes)).toString('base64')}`
}

function partsOf({ content }: JsonObject): readonly unknown[] {
  return Array.isArray(content) ? (content as unknown[]) : []
}

interface ImagePart {
  readonly image_url: { readonly url: string }
}

function isImagePart(part: unknown): part is ImagePart {
  return typeof (part as Partial<ImagePart> | null)?.image_url?.url === 'string'
}

function idIn(part: unknown): string | null {
  return isImagePart(part) ? mediaIdIn(part.image_url.url) : null
}

interface Shows {
  readonly shown: ReadonlyMap<string, string>
  readonly omitted: ReadonlySet<string>
}

function withImage(part: unknown, { shown, omitted }: Shows): unknown {
  const id = idIn(part)
  if (id === null) return part
  const url = shown.get(id)
  if (url === undefined) return omitted.has(id) ? leftOut : gone
  return { ...(part as ImagePart), image_url: { ...(part as ImagePart).image_url, url } }
}
