import { buffer } from 'node:stream/consumers'
import type { RequestContext } from '../../../platform/context.ts'
import { AppError } from '../../../platform/errors.ts'
import { mediaIdIn } from '../../../platform/media-reference.ts'
import { uploadMedia } from '../../../platform/media-upload.ts'
import type { WrittenImage } from '../../../platform/openai/image-request.ts'
import type { StoredBytes } from '../../../platform/stored-bytes.ts'
import {
  BeginImageUploadDocument,
  FinishImageUploadDocument,
  ImageSourceDocument,
  type ImageSourceQuery,
  StoreImageSourceDocument,
} from '../operations.generated.ts'
import { mostImageBytes } from './foreign-image.ts'

/** An image of the caller's. */
export type OwnImage = ImageSourceQuery['resolveMedia']['media'][number]

/** The caller's media, as far as images are made of them and become them. */
export function ownImages(context: RequestContext, objects: Pick<StoredBytes, 'read' | 'write'>) {
  const { graph } = context

  async function known(written: string, param: string): Promise<OwnImage> {
    const id = mediaIdIn(written)
    if (id === null)
      throw new AppError('invalid_media_reference', `${param} is not the id of a media.`, { param })
    const { resolveMedia } = await graph.execute(ImageSourceDocument, { ids: [id] }, context)
    const [media] = resolveMedia.media
    if (media) return media
    throw new AppError('invalid_media_reference', `There is no media ${id}.`, { param })
  }

  async function stored(
    source: { remoteUrl: string } | { dataUrl: string },
    param: string,
  ): Promise<OwnImage> {
    try {
      return (await graph.execute(StoreImageSourceDocument, { input: source }, context)).createMedia.media
    } catch (error) {
      // the media subgraph names its own fields
      if (!(error instanceof AppError) || error.status >= 500) throw error
      throw new AppError(error.code, error.message.replace(/\bdata_url\b/g, param), { param, cause: error })
    }
  }

  return {
    /**
     * The image that a request names or encloses, under the caller's own id.
     * @throws AppError `invalid_media_reference`, `invalid_parameter`, `missing_parameter`, `max_size_exceeded`
     */
    async of(written: WrittenImage, param: string): Promise<OwnImage> {
      const { id, url, b64_json } = typeof written === 'string' ? namedBy(written) : plainlyNamed(written)
      if (id != null) return known(id, param)
      if (url != null) {
        const reference = mediaIdIn(url)
        if (reference !== null) return known(reference, param)
        return stored(/^data:/i.test(url) ? { dataUrl: url } : { remoteUrl: url }, param)
      }
      if (b64_json != null) return stored({ dataUrl: `data:image/*;base64,${b64_json}` }, param)
      throw new AppError('missing_parameter', `${param} needs an id, a url or b64_json.`, { param })
    },

    /** @throws AppError `media_not_found` where it was deleted meanwhile */
    async bytes({ id, storageKey }: OwnImage): Promise<Buffer> {
      const bytes = await objects.read(storageKey, { signal: context.signal })
      if (!bytes) throw new AppError('media_not_found', `There is no media ${id}.`)
      return buffer(bytes)
    },

    /** Keeps an image that was made, with a link to it. @throws AppError `invalid_parameter` for what is no image */
    async keep(bytes: Buffer): Promise<{ readonly id: string; readonly url: string }> {
      const { signal } = context
      const arrival = { bytes: one(bytes), filename: null, maxBytes: mostImageBytes, param: 'image', signal }
      return uploadMedia(arrival, objects, {
        begin: async (input) =>
          (await graph.execute(BeginImageUploadDocument, { input }, context)).beginMediaUpload,
        finish: async (input) => {
          const { finishMediaUpload } = await graph.execute(FinishImageUploadDocument, { input }, context)
          const { id, link } = finishMediaUpload.media
          return { id, url: link.url }
        },
      })
    },
  }
}

/** The images of one request. */
export type OwnImages = ReturnType<typeof ownImages>

async function* one(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

/** OpenAI has words of its own for what the contract has, too. */
function plainlyNamed({ id, file_id, url, image_url, b64_json }: Exclude<WrittenImage, string>) {
  return { id: id ?? file_id, url: url ?? image_url, b64_json }
}

/** Contract 2.7: a text is an id, a URL, or the bytes in base64. */
function namedBy(text: string): { id?: string; url?: string; b64_json?: string } {
  if (mediaIdIn(text) !== null || text.startsWith('jan_')) return { id: text }
  return /^(https?|data):/i.test(text) ? { url: text } : { b64_json: text }
}
