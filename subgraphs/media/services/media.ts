import { type Actor, requireActor } from '../../../platform/actor.ts'
import { AppError } from '../../../platform/errors.ts'
import { hasIdShape } from '../../../platform/ids.ts'
import { mediaIdsIn, replaceMediaIds } from '../../../platform/media-reference.ts'
import type { ObjectStore } from '../../../platform/object-store/object-store.ts'
import {
  type Connection,
  invalidCursor,
  type Page,
  type PageArguments,
  toConnection,
  toPage,
  totalByPage,
} from '../../../platform/pagination.ts'
import type { MediaSource } from '../sources/media.ts'
import type { MediaRow } from '../sources/media-row.ts'
import type { MediaWrites } from '../sources/media-writes.ts'
import { withinSeconds } from './lifetimes.ts'
import type { UploadService } from './uploads.ts'

/** What reading media takes. */
export interface MediaParts {
  readonly actor: Actor | null
  readonly source: MediaSource
  readonly writes: MediaWrites
  readonly objects: ObjectStore
  readonly uploads: UploadService
  /** How long a link lasts where nobody says, in seconds. */
  readonly linkSeconds: number
  /** Whether anybody may read what they know the id of. */
  readonly isPublic: boolean
}

const mostIds = 100
/** A placeholder is a link in the making: a value with more of them than this is no message. */
const mostPlaceholders = 1_000

/** A list of media, and what is in it as a whole. */
export interface MediaPage extends Connection<MediaRow> {
  /** Null: all of the actor's. */
  readonly among: readonly string[] | null
  /** How many there are on all pages, where that is known without counting them. */
  readonly knownTotal: number | null
}

/** What ids have led to. */
interface Found {
  readonly found: ReadonlyMap<string, MediaRow>
  /** Of uploads whose bytes were not those that were promised. */
  readonly refusals: readonly AppError[]
}

/** The rules of media. Everything acts for the actor: another owner's media does not exist for it. */
export function mediaService({ actor, source, writes, objects, uploads, linkSeconds, isPublic }: MediaParts) {
  const owner = () => requireActor(actor).id
  const lifetimes = { least: 60, most: 604_800, usual: linkSeconds }

  /** The owner's media of these ids; uploads that nobody has completed yet are completed, or refused. */
  async function byIds(ids: readonly string[]): Promise<Found> {
    const ownerId = owner()
    const known = [...new Set(ids)].filter((id) => hasIdShape('media', id))
    const read = async () => {
      const rows = await Promise.all(known.map((id) => source.byId(ownerId, id)))
      return new Map(rows.flatMap((row) => (row ? [[row.publicId, row] as const] : [])))
    }
    const found = await read()
    const unknown = known.filter((id) => !found.has(id))
    if (unknown.length === 0) return { found, refusals: [] }
    const refusals = await uploads.completeAny(unknown)
    // Also where there was nothing to complete: somebody else may have done it since the first look.
    source.clearLoaders()
    return { found: await read(), refusals }
  }

  const link = ({ storageKey, mimeType, filename }: MediaRow, expiresIn?: number | null) =>
    objects.signedGet(storageKey, {
      expiresIn: withinSeconds(expiresIn, lifetimes),
      contentType: mimeType,
      ...(filename ? { filename } : {}),
    })

  async function pageBy(
    args: PageArguments,
    among: readonly string[] | null,
    read: (page: Page) => Promise<MediaRow[]>,
  ): Promise<MediaPage> {
    const page = toPage(args)
    if (page.after !== null && !hasIdShape('media', page.after)) throw invalidCursor(page.after)
    const rows = await read(page)
    const knownTotal = totalByPage(rows, page)
    return { ...toConnection(rows, page, ({ publicId }) => publicId), among, knownTotal }
  }

  return {
    link,

    /** @throws AppError `invalid_parameter`, `max_size_exceeded` for an upload whose bytes are not those that were promised */
    async byId(id: string): Promise<MediaRow | null> {
      const { found, refusals } = await byIds([id.toLowerCase()])
      const media = found.get(id.toLowerCase())
      if (!media && refusals[0]) throw refusals[0]
      return media ?? null
    },

    /** For references: what is only prepared is not there yet. */
    async reference(id: string): Promise<MediaRow | null> {
      return hasIdShape('media', id) ? source.byId(owner(), id) : null
    },

    async anyones(id: string): Promise<MediaRow | null> {
      return isPublic && hasIdShape('media', id.toLowerCase()) ? source.anyones(id.toLowerCase()) : null
    },

    page: (args: PageArguments): Promise<MediaPage> =>
      pageBy(args, null, (page) => source.page(owner(), page)),

    /** Of these media, the actor's own. @param ids of those that a project names */
    pageOf: (ids: readonly string[], args: PageArguments): Promise<MediaPage> =>
      pageBy(args, ids, (page) => source.pageAmong(owner(), ids, page)),

    /** How many there are on all pages of the list. */
    total: async ({ among, knownTotal }: MediaPage): Promise<number> => {
      if (knownTotal !== null) return knownTotal
      return among === null ? source.count(owner()) : source.countAmong(owner(), among)
    },

    /** @throws AppError `invalid_parameter` */
    async resolve(ids: readonly string[]) {
      assertFew(ids)
      const { found } = await byIds(ids.map((id) => id.toLowerCase()))
      const rows = ids.map((id) => found.get(id.toLowerCase()))
      return {
        media: rows.flatMap((row) => row ?? []),
        missing: ids.filter((_, at) => !rows[at]),
      }
    },

    /** @throws AppError `invalid_parameter` for more than 1,000 media in one value */
    async resolvePayload(payload: unknown) {
      const ids = mediaIdsIn(payload)
      if (ids.length > mostPlaceholders)
        throw new AppError('invalid_parameter', `payload names more than ${mostPlaceholders} media.`, {
          param: 'payload',
        })
      const { found } = await byIds(ids)
      const urls = new Map<string, string>()
      for (const [id, row] of found) urls.set(id, (await link(row)).url)
      return {
        payload: replaceMediaIds(payload, (id) => urls.get(id)),
        missing: ids.filter((id) => !found.has(id)),
      }
    },

    /** @throws AppError `invalid_parameter` */
    async remove(ids: readonly string[]) {
      assertFew(ids)
      const asked = ids.map((id) => id.toLowerCase()).filter((id) => hasIdShape('media', id))
      const gone = new Set(await writes.remove(owner(), asked))
      return { ids: [...gone], failed: ids.filter((id) => !gone.has(id.toLowerCase())) }
    },
  }
}

/** The service of one request. */
export type MediaService = ReturnType<typeof mediaService>

function assertFew(ids: readonly string[]): void {
  if (ids.length === 0)
    throw new AppError('invalid_parameter', 'ids must name at least one.', { param: 'ids' })
  if (ids.length > mostIds)
    throw new AppError('invalid_parameter', `ids must name at most ${mostIds}.`, { param: 'ids' })
}
