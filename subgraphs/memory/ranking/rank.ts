import type { Profile, ProfileEntry } from './profile-cache.ts'

/** What is looked for, apart from the words. */
export interface Wanted {
  readonly projectId: string | null
  readonly exceptConversationId: string | null
  readonly maxUserItems: number
  readonly maxProjectItems: number
  readonly maxEpisodicItems: number
  /** 0 to 1. */
  readonly minSimilarity: number
}

/** A memory's id and how well it fits. */
export interface Ranked {
  readonly id: string
  /** 0 to 1. */
  readonly similarity: number
}

/** What fits best, the best first. */
export interface RankedIds {
  readonly user: readonly Ranked[]
  readonly project: readonly Ranked[]
  readonly episodic: readonly Ranked[]
}

/**
 * Ranks a person's memories: by similarity, then importance, then age. Who somebody is (`CORE`) is told whatever is asked; all
 * else must be similar enough.
 * @param similarityOf 0 to 1
 */
export function rank(
  profile: Profile,
  wanted: Wanted,
  similarityOf: (entry: ProfileEntry) => number,
): RankedIds {
  const best = (count: number, belongs: (entry: ProfileEntry) => boolean): Ranked[] =>
    profile
      .filter(belongs)
      .map((entry) => ({ entry, similarity: similarityOf(entry) }))
      .filter(({ entry, similarity }) => entry.scope === 'CORE' || similarity >= wanted.minSimilarity)
      .sort((one, other) => compare(one, other))
      .slice(0, count)
      .map(({ entry, similarity }) => ({ id: entry.id, similarity }))
  return {
    user: best(wanted.maxUserItems, ({ scope }) => scope !== 'PROJECT' && scope !== 'EPISODE'),
    project: best(
      wanted.maxProjectItems,
      ({ scope, projectId }) => scope === 'PROJECT' && projectId === wanted.projectId,
    ),
    episodic: best(
      wanted.maxEpisodicItems,
      ({ scope, conversationId }) =>
        scope === 'EPISODE' && (conversationId === null || conversationId !== wanted.exceptConversationId),
    ),
  }
}

interface Compared {
  readonly entry: ProfileEntry
  readonly similarity: number
}

function compare(one: Compared, other: Compared): number {
  return (
    other.similarity - one.similarity ||
    other.entry.importance - one.entry.importance ||
    other.entry.updatedAt - one.entry.updatedAt
  )
}
