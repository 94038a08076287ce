import { type Actor, requireActor } from '../../../platform/actor.ts'
import type { Profile, ProfileCache } from '../ranking/profile-cache.ts'
import { type Ranked, rank } from '../ranking/rank.ts'
import type { RankingMetrics } from '../ranking/ranking-metrics.ts'
import { bytesOf, similarityOf, unitVector } from '../ranking/vector.ts'
import type { MemoryVectorInput, RankMemoriesInput } from '../schema.generated.ts'
import type { MemorySource } from '../sources/memories.ts'
import type { MemoryRow } from '../sources/memory-row.ts'
import type { UnembeddedRow, VectorSource } from '../sources/vectors.ts'

/** A memory and how well it fits. */
export interface RankedMemory {
  readonly memory: MemoryRow
  /** 0 to 1. */
  readonly similarity: number
}

/** What fits best, the best first. */
export interface RankedMemories {
  readonly user: readonly RankedMemory[]
  readonly project: readonly RankedMemory[]
  readonly episodic: readonly RankedMemory[]
}

/** What recall needs. */
export interface RecallScope {
  readonly actor: Actor | null
  readonly memories: MemorySource
  readonly vectors: VectorSource
  readonly profiles: ProfileCache
  readonly metrics: Pick<RankingMetrics, 'compared'>
}

/** Words beyond these are not looked at. */
const maxQueryLength = 8_000

/** Finds what fits, and keeps the vectors that it is found by. */
export function recallService({ actor, memories, vectors, profiles, metrics }: RecallScope) {
  const withRows = async (ownerId: string, ranked: readonly Ranked[]): Promise<RankedMemory[]> => {
    const rows = await Promise.all(
      ranked.map(async ({ id, similarity }) => ({ memory: await memories.byId(ownerId, id), similarity })),
    )
    return rows.flatMap(({ memory, similarity }) => (memory ? [{ memory, similarity }] : []))
  }

  return {
    /** By meaning where there are vectors; a memory that has none yet goes by its words. @throws AppError `invalid_parameter` */
    async rank(input: RankMemoriesInput): Promise<RankedMemories> {
      const ownerId = requireActor(actor).id
      const profile = await profiles.of(ownerId)
      const similarity = await comparison(ownerId, profile, input)
      const wanted = {
        ...input,
        projectId: input.projectId ?? null,
        exceptConversationId: input.exceptConversationId ?? null,
      }
      const started = performance.now()
      const { user, project, episodic } = rank(profile, wanted, similarity)
      metrics.compared(performance.now() - started)
      const [userRows, projectRows, episodicRows] = await Promise.all(
        [user, project, episodic].map((ranked) => withRows(ownerId, ranked)),
      )
      return { user: userRows ?? [], project: projectRows ?? [], episodic: episodicRows ?? [] }
    },

    /** For the platform itself: memories of anybody's. */
    claim: (model: string, limit: number): Promise<UnembeddedRow[]> => vectors.claim(model, limit),

    /** The same. @throws AppError `invalid_parameter` */
    async store(model: string, given: readonly MemoryVectorInput[]): Promise<number> {
      const owners = await vectors.store(
        model,
        given.map(({ id, revision, vector }, at) => ({
          id,
          revision,
          vector: bytesOf(unitVector(vector, `vectors[${at}].vector`)),
        })),
      )
      for (const ownerId of new Set(owners)) profiles.drop(ownerId)
      return owners.length
    },
  }

  async function comparison(
    ownerId: string,
    profile: Profile,
    { query, vector, vectorModel }: RankMemoriesInput,
  ): Promise<(entry: Profile[number]) => number> {
    const asked = vector == null ? null : unitVector(vector, 'vector')
    const byMeaning = ({ vector: own, embeddingModel }: Profile[number]) =>
      asked && own && embeddingModel === vectorModel ? similarityOf(asked, own) : null
    if (profile.every((entry) => byMeaning(entry) !== null)) return (entry) => byMeaning(entry) ?? 0
    const byWords = await wordSimilarity(ownerId, query)
    return (entry) => byMeaning(entry) ?? byWords(entry.id)
  }

  /** 1 for what fits best, 0 for what shares no word. */
  async function wordSimilarity(ownerId: string, query: string): Promise<(id: string) => number> {
    const words = query.slice(0, maxQueryLength).toWellFormed().replaceAll('\u0000', ' ')
    const ranks = await vectors.wordRanks(ownerId, words)
    const best = Math.max(...ranks.values())
    return (id) => (ranks.get(id) ?? 0) / best || 0
  }
}

/** The service of one request. */
export type RecallService = ReturnType<typeof recallService>
