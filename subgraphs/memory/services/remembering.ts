import { type Actor, requireActor } from '../../../platform/actor.ts'
import type { SubgraphDatabase } from '../../../platform/db.ts'
import { AppError } from '../../../platform/errors.ts'
import { hasIdShape } from '../../../platform/ids.ts'
import type {
  LearnMemoriesInput,
  UpsertMemoriesInput,
  UpsertProjectMemoriesInput,
} from '../schema.generated.ts'
import type { MemoryRow } from '../sources/memory-row.ts'
import {
  changingMemories,
  dropOldEpisodes,
  type MemoryDraft,
  maxMemories,
  removeMemories,
  upsertMemories,
} from '../sources/memory-writes.ts'
import { assertDraftCount, episodeDraft, projectDrafts, userDrafts } from './drafts.ts'

/** What remembering needs. */
export interface RememberingScope {
  readonly actor: Actor | null
  readonly database: SubgraphDatabase
  readonly isEnabled: boolean
  /** Whether the actor has a living project of that id. */
  hasProject(id: string): Promise<boolean>
}

/** What adds to a person's memories; `changed` is told whose they are. */
export function rememberingService(
  { actor, database, isEnabled, hasProject }: RememberingScope,
  changed: (ownerId: string) => void,
) {
  const owner = () => {
    const { id } = requireActor(actor)
    if (!isEnabled) throw new AppError('feature_disabled', 'Memory is switched off here (MEMORY_ENABLED).')
    return id
  }

  const assertProject = async (id: string) => {
    if (!hasIdShape('project', id) || !(await hasProject(id)))
      throw new AppError('project_not_found', 'There is no such project.', { param: 'project_id' })
  }

  /** All of the drafts, or none. */
  const write = async (ownerId: string, drafts: readonly MemoryDraft[]): Promise<MemoryRow[]> => {
    const rows = await changingMemories(database, ownerId, async (db) => {
      const written = await upsertMemories(db, ownerId, drafts)
      if (written.length < drafts.length) {
        throw new AppError(
          'max_items_exceeded',
          `You have as many memories as there can be: ${maxMemories}. Delete some first.`,
        )
      }
      return written
    })
    changed(ownerId)
    return rows
  }

  return {
    /** @throws AppError `feature_disabled`, `invalid_parameter`, `max_items_exceeded` */
    async upsert({ items }: UpsertMemoriesInput): Promise<MemoryRow[]> {
      const ownerId = owner()
      assertDraftCount(items.length, 'items')
      return write(ownerId, userDrafts(items, null))
    },

    /** @throws AppError `feature_disabled`, `project_not_found`, `invalid_parameter`, `max_items_exceeded` */
    async upsertFacts({ projectId, facts }: UpsertProjectMemoriesInput): Promise<MemoryRow[]> {
      const ownerId = owner()
      assertDraftCount(facts.length, 'facts')
      const drafts = projectDrafts(facts, projectId, null)
      await assertProject(projectId)
      return write(ownerId, drafts)
    },

    /** What was learned takes what room there is: nobody waits for an error. @throws AppError `feature_disabled` and the like */
    async learn(input: LearnMemoriesInput): Promise<MemoryRow[]> {
      const { conversationId, projectId, items, facts, forgotten, episode } = input
      const ownerId = owner()
      const drafts = [
        ...userDrafts(items, conversationId),
        ...(projectId == null ? [] : projectDrafts(facts, projectId, conversationId)),
        ...(episode == null ? [] : [episodeDraft(episode, conversationId)]),
      ]
      const rows = await changingMemories(database, ownerId, async (db) => {
        await removeMemories(
          db,
          ownerId,
          forgotten.filter((id) => hasIdShape('memory', id)),
        )
        const written = await upsertMemories(db, ownerId, drafts)
        if (episode != null) await dropOldEpisodes(db, ownerId)
        return written
      })
      changed(ownerId)
      return rows
    },
  }
}

/** The service of one request. */
export type RememberingService = ReturnType<typeof rememberingService>
