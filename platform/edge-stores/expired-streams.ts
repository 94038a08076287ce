import type { SubgraphDatabase } from '../db.ts'
import type { Logger } from '../log.ts'

const sweepMs = 10 * 60_000
const batch = 1_000

/** Removes logs whose time is over, and the requests that they answered, every ten minutes until stopped. */
export function sweepExpiredStreams(database: Pick<SubgraphDatabase, 'prepared'>, log: Logger): () => void {
  const timer = setInterval(() => {
    removeExpiredStreams(database).catch((error: unknown) =>
      log.warn({ err: error }, 'expired answers could not be removed'),
    )
  }, sweepMs)
  timer.unref()
  return () => clearInterval(timer)
}

/**
 * Requests go first, in a statement of their own: a claim locks the request before its log, and whoever locked them the
 * other way round would wait for it as it waits for them.
 */
export async function removeExpiredStreams(database: Pick<SubgraphDatabase, 'prepared'>): Promise<void> {
  for (let removed = batch; removed >= batch; ) {
    await database.prepared('edge_remove_requests', removeRequests, [batch])
    const rows = await database.prepared<{ id: string }>('edge_remove_streams', removeStreams, [batch])
    removed = rows.length
  }
}

const removeRequests = `
  delete from edge.idempotent_request where scope in (
    select r.scope from edge.idempotent_request r join edge.stream s on s.id = r.stream_id
    where s.expires_at < clock_timestamp()
    order by s.expires_at limit $1
    for update of r skip locked
  )`

const removeStreams = `
  delete from edge.stream where id in (
    select s.id from edge.stream s
    where s.expires_at < clock_timestamp()
      and not exists (select from edge.idempotent_request r where r.stream_id = s.id)
    order by s.expires_at limit $1
    for update skip locked
  ) returning id`
