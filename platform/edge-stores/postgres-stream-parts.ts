import type { SubgraphDatabase } from '../db.ts'
import type { SecretBox } from '../secret-box.ts'
import type { StreamStore } from './postgres-stream-writer.ts'
import { leaseSeconds } from './stream-lease.ts'

/** The channel that says of a log that it has grown or ended. */
export const growthChannel = 'edge_stream'

/** What is stored of a log from some byte on. */
export interface StoredBytes {
  readonly bytes: readonly Buffer[]
  /** `lapsed`: it is open, and whoever wrote it is gone. */
  readonly state: 'open' | 'lapsed' | 'kept' | 'spent' | 'cut'
}

/** The tables of the logs. What they hold is sealed. */
export interface StreamParts extends StreamStore {
  /** Also leaves word that somebody reads, while the log grows. A log that is not there is cut. */
  read(run: string, from: number): Promise<StoredBytes>
  /** Keeps the claims on `runs`; gives those that somebody has read within `unreadMs`, in any process. */
  renew(runs: readonly string[], unreadMs: number): Promise<Set<string>>
}

/** The purpose under which what was answered is sealed. */
const purpose = 'edge.stream'

interface PartRow {
  readonly state: 'open' | 'kept' | 'spent' | 'cut'
  readonly lapsed: boolean
  readonly position: string | null
  readonly sealed: Buffer | null
}

export function streamParts(
  database: Pick<SubgraphDatabase, 'prepared'>,
  secrets: Pick<SecretBox, 'sealBytes' | 'openBytes'>,
): StreamParts {
  return {
    async append(run, position, bytes) {
      const sealed = secrets.sealBytes(purpose, bytes)
      const values = [run, position, bytes.length, sealed, growthChannel]
      await database.prepared('edge_append_part', appendPart, values)
    },
    async end(run, position, bytes, worth, lastsSeconds) {
      const sealed = bytes.length === 0 ? null : secrets.sealBytes(purpose, bytes)
      const values = [run, position, bytes.length, sealed, worth, lastsSeconds, growthChannel]
      await database.prepared('edge_end_stream', endStream, values)
    },
    async read(run, from) {
      const rows = await database.prepared<PartRow>('edge_read_parts', readParts, [run, from])
      let position = from
      const bytes = rows.flatMap((row) => {
        if (row.sealed === null) return []
        const opened = secrets.openBytes(purpose, row.sealed).subarray(position - Number(row.position))
        position += opened.length
        return [opened]
      })
      const [first] = rows
      if (!first) return { bytes, state: 'cut' }
      return { bytes, state: first.state === 'open' && first.lapsed ? 'lapsed' : first.state }
    },
    async renew(runs, unreadMs) {
      const values = [runs, leaseSeconds, unreadMs / 1000]
      const rows = await database.prepared<{ id: string }>('edge_renew_leases', renewLeases, values)
      return new Set(rows.map(({ id }) => id))
    },
  }
}

const renewLeases = `
  with renewed as (
    update edge.stream set lease_until = clock_timestamp() + make_interval(secs => $2)
    where id = any($1::uuid[]) and state = 'open'
    returning id, read_at
  )
  select id from renewed where read_at > clock_timestamp() - make_interval(secs => $3)`

const appendPart = `
  with part as (insert into edge.stream_part (stream_id, position, bytes, sealed) values ($1, $2, $3, $4))
  select pg_notify($5, $1::text)`

const endStream = `
  with part as (
    insert into edge.stream_part (stream_id, position, bytes, sealed)
    select $1, $2, $3, $4 where $4::bytea is not null
  ), ended as (
    update edge.stream set state = $5, expires_at = clock_timestamp() + make_interval(secs => $6)
    where id = $1 and state = 'open'
  )
  select pg_notify($7, $1::text)`

const readParts = `
  with seen as (
    update edge.stream set read_at = clock_timestamp()
    where id = $1 and state = 'open' and read_at < clock_timestamp() - interval '1 second'
  )
  select s.state, s.lease_until <= clock_timestamp() as lapsed, p.position, p.sealed
  from edge.stream s
  left join edge.stream_part p on p.stream_id = s.id and p.position + p.bytes > $2
  where s.id = $1
  order by p.position`
