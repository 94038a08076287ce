import { sql } from 'kysely'
import type { SubgraphDatabase } from '../../../platform/db.ts'
import type { UsageRecordInput } from '../schema.generated.ts'

/** The SQL of usage. */
export interface UsageSource {
  /** Stores records in one statement, but those of deleted accounts, and gives the number of those that were new. */
  insert(records: readonly UsageRecordInput[]): Promise<number>
}

export function usageSource(database: SubgraphDatabase): UsageSource {
  return {
    async insert(records) {
      const { rows } = await sql`
        insert into accounts.usage_record (
          id, user_id, model, provider, conversation_id, prompt_tokens, completion_tokens, total_tokens, estimated, duration_ms,
          time_to_first_token_ms, status, stream, created_at
        )
        select id, "userId", model, provider, "conversationId", "promptTokens", "completionTokens", "totalTokens", estimated,
          "durationMs", "timeToFirstTokenMs", status, stream, coalesce("createdAt", now())
        from json_to_recordset(${JSON.stringify(records)}::json) as record (
          id text, "userId" uuid, model text, provider text, "conversationId" text, "promptTokens" integer,
          "completionTokens" integer, "totalTokens" integer, estimated boolean, "durationMs" integer,
          "timeToFirstTokenMs" integer, status text, stream boolean, "createdAt" timestamptz
        )
        where not exists (select from accounts.erasure e where e.user_id = record."userId")
        on conflict (id) do nothing
        returning id`.execute(database.fork().getKysely())
      return rows.length
    },
  }
}
