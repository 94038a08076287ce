import { AppError } from '../../../platform/errors.ts'
import type { GuardedFetch } from '../../../platform/guarded-fetch/index.ts'
import type { CreateMediaInput } from '../schema.generated.ts'
import { bytesOfDataUrl } from './data-url.ts'
import type { Stored, UploadService } from './uploads.ts'

/** What media from elsewhere is made with. */
export interface CreationParts {
  readonly uploads: UploadService
  readonly outbound: GuardedFetch
  readonly maxBytes: number
  readonly fetchTimeoutMs: number
  readonly signal: AbortSignal
}

/** Media from what a caller names or encloses. */
export function creationService({ uploads, outbound, maxBytes, fetchTimeoutMs, signal }: CreationParts) {
  async function fromUrl(url: string, filename: string | null): Promise<Stored> {
    const asked = { maxBytes, timeoutMs: fetchTimeoutMs, signal, param: 'url' }
    const { status, body } = await outbound.fetch(url, asked)
    try {
      if (status !== 200)
        throw new AppError('invalid_parameter', `The URL answered ${status}.`, { param: 'url' })
      return await uploads.store({ bytes: body, filename: filename ?? lastSegment(url), param: 'url' })
    } finally {
      body.destroy()
    }
  }

  return {
    /** @throws AppError `invalid_parameter`, `missing_parameter`, `max_size_exceeded`, `media_storage_failed` */
    async create({ remoteUrl, dataUrl, filename }: CreateMediaInput): Promise<Stored> {
      if (remoteUrl != null && dataUrl != null)
        throw new AppError('invalid_parameter', 'Send either a URL or a data URL.', { param: 'source' })
      if (remoteUrl != null) return fromUrl(remoteUrl, filename ?? null)
      if (dataUrl == null)
        throw new AppError('missing_parameter', 'Send a URL or a data URL.', { param: 'source' })
      const bytes = bytesOfDataUrl(dataUrl, maxBytes, 'data_url')
      return uploads.store({ bytes: oneChunk(bytes), filename: filename ?? null, param: 'data_url' })
    },
  }
}

/** The service of one request. */
export type CreationService = ReturnType<typeof creationService>

async function* oneChunk(bytes: Buffer): AsyncGenerator<Buffer> {
  if (bytes.length > 0) yield bytes
}

/** The name of a file at a URL, where it can be one. */
function lastSegment(url: string): string | null {
  const segment = URL.parse(url)?.pathname.split('/').at(-1) ?? ''
  return /^[\w.-]{1,100}$/.test(segment) ? segment : null
}
