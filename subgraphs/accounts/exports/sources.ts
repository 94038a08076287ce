import type { SubgraphDatabase } from '../../../platform/db.ts'
import type { Page } from '../../../platform/pagination.ts'

/** A usage record as it is stored; moments as PostgreSQL writes them. */
export interface UsageRow {
  readonly id: string
  readonly model: string
  readonly provider: string
  readonly conversationId: string | null
  readonly promptTokens: number
  readonly completionTokens: number
  readonly totalTokens: number
  readonly estimated: boolean
  readonly durationMs: number
  readonly timeToFirstTokenMs: number | null
  readonly status: 'COMPLETED' | 'ABORTED' | 'FAILED'
  readonly stream: boolean
  readonly createdAt: string
}

/** A session as its user may see it. */
export interface SessionRow {
  readonly id: string
  readonly ip: string | null
  readonly userAgent: string | null
  readonly createdAt: string
  readonly expiresAt: string
  readonly revokedAt: string | null
}

/** Reads what users take along, narrowed to their user. */
export interface ExportSource {
  /** Up to `limit + 1` records, by when they began. A cursor that names none of the user's finds nothing. */
  usage(userId: string, page: Pick<Page, 'limit' | 'after'>): Promise<UsageRow[]>
  isUsage(userId: string, id: string): Promise<boolean>
  sessions(userId: string): Promise<SessionRow[]>
}

export function exportSource(database: SubgraphDatabase): ExportSource {
  return {
    usage: (userId, { limit, after }) =>
      after === null
        ? database.prepared<UsageRow>('usage_of_user', usage(''), [userId, limit + 1])
        : database.prepared<UsageRow>('usage_of_user_after', usage(beyondCursor), [userId, limit + 1, after]),

    async isUsage(userId, id) {
      const rows = await database.prepared('is_usage_of_user', usageCursor, [userId, id])
      return rows.length > 0
    },

    sessions: (userId) => database.prepared<SessionRow>('sessions_of_user', sessions, [userId]),
  }
}

const usage = (beyond: string) => `
  select u.id, u.model, u.provider, u.conversation_id as "conversationId", u.prompt_tokens as "promptTokens",
    u.completion_tokens as "completionTokens", u.total_tokens as "totalTokens", u.estimated, u.duration_ms as "durationMs",
    u.time_to_first_token_ms as "timeToFirstTokenMs", upper(u.status) as status, u.stream, u.created_at as "createdAt"
  from accounts.usage_record u where u.user_id = $1 ${beyond}
  order by u.created_at, u.key limit $2`

/** The first condition is what the index on time is asked for. */
const beyondCursor = `
  and u.created_at >= (select k.created_at from accounts.usage_record k where k.id = $3 and k.user_id = $1)
  and (u.created_at, u.key) > (select k.created_at, k.key from accounts.usage_record k where k.id = $3 and k.user_id = $1)`

const usageCursor = 'select 1 from accounts.usage_record where user_id = $1 and id = $2'

const sessions = `
  select id, ip, user_agent as "userAgent", created_at as "createdAt", expires_at as "expiresAt", revoked_at as "revokedAt"
  from accounts.session where user_id = $1 order by created_at, id`
