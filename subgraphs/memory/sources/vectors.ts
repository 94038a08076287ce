import type { SubgraphDatabase } from '../../../platform/db.ts'
import { memoryChannel } from '../../../platform/memory-changes.ts'
import type { MemoryScope } from '../schema.generated.ts'

/** What ranking needs of a memory. */
export interface ProfileRow {
  readonly id: string
  readonly scope: MemoryScope
  readonly projectId: string | null
  readonly conversationId: string | null
  readonly importance: number
  /** Unix milliseconds. */
  readonly updatedAt: number
  readonly embedding: Buffer | null
  readonly embeddingModel: string | null
}

/** A memory that has no vector of a model yet. */
export interface UnembeddedRow {
  readonly id: string
  readonly ownerId: string
  readonly text: string
  readonly revision: number
}

/** A vector to be stored: normalised 32-bit floats, little-endian. */
export interface VectorDraft {
  readonly id: string
  readonly revision: number
  readonly vector: Buffer
}

/** The SQL of vectors and of comparing. */
export interface VectorSource {
  /** Everything of an owner that can be ranked. */
  profile(ownerId: string): Promise<ProfileRow[]>
  /** How well the words of the owner's memories fit, by id; those that share none with the query are left out. */
  wordRanks(ownerId: string, query: string): Promise<ReadonlyMap<string, number>>
  /** Takes memories without a vector of this model, of whomever, for a minute. */
  claim(model: string, limit: number): Promise<UnembeddedRow[]>
  /** The owners of the memories that were found as they were, and that nobody is changing, one for each. */
  store(model: string, vectors: readonly VectorDraft[]): Promise<string[]>
}

export function vectorSource(database: SubgraphDatabase): VectorSource {
  return {
    profile: (ownerId) => database.prepared<ProfileRow>('memory_profile', profile, [ownerId]),

    async wordRanks(ownerId, query) {
      const rows = await database.prepared<{ id: string; rank: number }>('memory_word_ranks', wordRanks, [
        ownerId,
        query,
      ])
      return new Map(rows.map(({ id, rank }) => [id, rank]))
    },

    claim: (model, limit) => database.prepared<UnembeddedRow>('claim_memories', claim, [model, limit]),

    async store(model, vectors) {
      const ids = vectors.map(({ id }) => id)
      const revisions = vectors.map(({ revision }) => revision)
      const bytes = vectors.map(({ vector }) => vector)
      const rows = await database.prepared<{ ownerId: string }>('store_memory_vectors', store, [
        model,
        ids,
        revisions,
        bytes,
      ])
      return rows.map(({ ownerId }) => ownerId)
    },
  }
}

const profile = `
  select public_id as id, scope, project_id as "projectId", conversation_id as "conversationId", importance,
    (extract(epoch from updated_at) * 1000)::float8 as "updatedAt", embedding, embedding_model as "embeddingModel"
  from memory.item where owner_id = $1`

/** Any of the query's words will do: a question has many that no memory has. */
const wordRanks = `
  select m.public_id as id, ts_rank(m.words, q.query)::float8 as rank
  from memory.item m, (select replace(plainto_tsquery('english', $2)::text, ' & ', ' | ')::tsquery as query) q
  where m.owner_id = $1 and m.words @@ q.query`

const claim = `
  update memory.item set claimed_until = now() + interval '1 minute'
  where key in (
    select key from memory.item
    where (embedding_model is null or embedding_model < $1 or embedding_model > $1)
      and (claimed_until is null or claimed_until < now())
    order by key limit $2 for update skip locked
  )
  returning public_id as id, owner_id as "ownerId", topic || ': ' || text as text, revision`

/**
 * What somebody is changing is left out: its vector would be of what it was, and nobody who changes several memories ever waits
 * for who stores vectors of them in another order. PostgreSQL tells of the same change of an owner's once.
 */
const store = `
  with free as (
    select m.key, v.vector
    from unnest($2::text[], $3::integer[], $4::bytea[]) as v (id, revision, vector)
    join memory.item m on m.public_id = v.id and m.revision = v.revision
    for no key update of m skip locked
  ), stored as (
    update memory.item m set embedding = free.vector, embedding_model = $1, claimed_until = null
    from free where m.key = free.key
    returning m.owner_id
  )
  select owner_id as "ownerId", pg_notify('${memoryChannel}', owner_id::text) from stored`
