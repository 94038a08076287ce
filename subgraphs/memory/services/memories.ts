import { type Actor, requireActor } from '../../../platform/actor.ts'
import { AppError } from '../../../platform/errors.ts'
import { hasIdShape } from '../../../platform/ids.ts'
import {
  type Connection,
  invalidCursor,
  type PageArguments,
  toConnection,
  toPage,
} from '../../../platform/pagination.ts'
import type { MemoryScope, MemoryStats, UpdateMemoryInput } from '../schema.generated.ts'
import type { MemoryFilter, MemorySource } from '../sources/memories.ts'
import type { MemoryRow } from '../sources/memory-row.ts'
import { maxMemories } from '../sources/memory-writes.ts'
import { memoryConfidence, memoryKey, memoryText } from './drafts.ts'
import { importanceLevel } from './importance.ts'

const maxDeleted = 1_000

/** A page of memories, and the filter that made it. */
export interface MemoryPage extends Connection<MemoryRow> {
  readonly filter: MemoryFilter
}

/** Arguments of a page of memories. */
export interface MemoryListArguments extends PageArguments {
  readonly scope?: MemoryScope | null
  readonly projectId?: string | null
}

/** What people do with what is remembered of them. Everything acts for `actor`: what is another's does not exist for it. `changed` is told whose have changed. */
export function memoryService(
  actor: Actor | null,
  memories: MemorySource,
  changed: (ownerId: string) => void,
) {
  const owner = () => requireActor(actor).id
  return {
    byId: async (id: string): Promise<MemoryRow | null> =>
      hasIdShape('memory', id) ? memories.byId(owner(), id) : null,

    async page({ scope, projectId, ...args }: MemoryListArguments): Promise<MemoryPage> {
      const page = toPage(args)
      const filter = { scope: scope ?? null, projectId: projectId ?? null }
      if (page.after !== null && !hasIdShape('memory', page.after)) throw invalidCursor(page.after)
      const rows = isNoProject(filter.projectId) ? [] : await memories.page(owner(), filter, page)
      return { ...toConnection(rows, page, ({ publicId }) => publicId), filter }
    },

    count: async (filter: MemoryFilter): Promise<number> =>
      isNoProject(filter.projectId) ? 0 : memories.count(owner(), filter),

    all: (): Promise<MemoryRow[]> => memories.all(owner()),

    async stats(projectId: string | null): Promise<MemoryStats> {
      const ownerId = owner()
      const counts = isNoProject(projectId) ? null : await memories.counts(ownerId, projectId)
      const of = (scope: MemoryScope) => counts?.scopes.get(scope) ?? 0
      const each = {
        core: of('CORE'),
        preference: of('PREFERENCE'),
        context: of('CONTEXT'),
        project: of('PROJECT'),
        episode: of('EPISODE'),
      }
      const total = Object.values(each).reduce((sum, count) => sum + count, 0)
      return { ...each, total, embedded: counts?.embedded ?? 0, limit: maxMemories }
    },

    /** @throws AppError `memory_not_found`, `already_exists`, `invalid_parameter` */
    async update({ id, key, text, importance, kind, confidence }: UpdateMemoryInput): Promise<MemoryRow> {
      const ownerId = owner()
      const known = hasIdShape('memory', id) ? await memories.byId(ownerId, id) : null
      if (!known) return notFound()
      if (kind != null && known.scope !== 'PROJECT')
        throw new AppError('invalid_parameter', 'Only facts of projects have a kind.', { param: 'kind' })
      if (key != null && known.scope === 'EPISODE')
        throw new AppError('invalid_parameter', 'The key of an episode is its conversation.', {
          param: 'key',
        })
      const row = await memories.update(ownerId, id, {
        ...(key == null ? {} : { topic: memoryKey(key, 'key') }),
        ...(text == null ? {} : { text: memoryText(text, 'text') }),
        ...(importance == null ? {} : { importance: importanceLevel(importance) }),
        ...(kind == null ? {} : { kind }),
        ...(confidence === undefined ? {} : { confidence: memoryConfidence(confidence, 'confidence') }),
      })
      if (!row) return notFound()
      changed(ownerId)
      return row
    },

    /** Gives the ids of those that were there. @throws AppError `max_items_exceeded` */
    async remove(ids: readonly string[]): Promise<{ ids: string[] }> {
      const ownerId = owner()
      if (ids.length > maxDeleted)
        throw new AppError('max_items_exceeded', `At most ${maxDeleted} ids at once.`, { param: 'ids' })
      const possible = ids.filter((id) => hasIdShape('memory', id))
      if (possible.length === 0) return { ids: [] }
      const removed = await memories.remove(ownerId, possible)
      changed(ownerId)
      return { ids: removed }
    },
  }
}

/** The service of one request. */
export type MemoryService = ReturnType<typeof memoryService>

/** Whether a filter names what can't be a project: PostgreSQL does not even take some of it for a text. */
function isNoProject(projectId: string | null): boolean {
  return projectId !== null && !hasIdShape('project', projectId)
}

function notFound(): never {
  throw new AppError('memory_not_found', 'There is no such memory.')
}
