import { setTimeout as sleep } from 'node:timers/promises'
import type { SubgraphDatabase } from '../db.ts'
import type { Logger } from '../log.ts'
import type { Notifications } from '../notifications.ts'
import type { SecretBox } from '../secret-box.ts'
import { LiveStream } from './live-stream.ts'
import { PostgresStreamWriter, type StreamStore } from './postgres-stream-writer.ts'
import { leaseSeconds, renewMs } from './stream-lease.ts'
import { StreamCut, type StreamLog } from './stream-log.ts'

/** What the log is made of. */
export interface PostgresStreamLogOptions {
  readonly database: Pick<SubgraphDatabase, 'prepared'>
  readonly notifications: Pick<Notifications, 'follow'>
  readonly secrets: Pick<SecretBox, 'sealBytes' | 'openBytes'>
  readonly log: Logger
  /** How long a log goes on without a reader; 30 seconds (contract 8.5). */
  readonly unreadMs?: number
  readonly renewMs?: number
}

/** A log that outlives its process. */
export interface PostgresStreamLog extends StreamLog {
  /** Lets what is being written here come to its end, for so long at most: somebody elsewhere may be reading it. */
  drain(graceMs: number): Promise<void>
  /** Ends the runs that are still being written here, and cuts their logs. */
  close(): Promise<void>
}

/** The purpose under which what was answered is sealed. */
const purpose = 'edge.stream'
/** The channel that says of a log that it has grown or ended. */
const channel = 'edge_stream'
/** How often a reader looks by itself, should a notification be lost, and says that it is still there. */
const pollMs = 1_000

interface PartRow {
  readonly state: 'open' | 'kept' | 'spent' | 'cut'
  readonly lapsed: boolean
  readonly position: string | null
  readonly sealed: Buffer | null
}

/**
 * Logs in PostgreSQL. A run of this process is read from memory while it lasts; other processes, and later askers, read
 * the stored parts, woken by notifications. Parts are sealed: they hold answers.
 */
export function postgresStreamLog(options: PostgresStreamLogOptions): PostgresStreamLog {
  const { database, notifications, secrets, log, unreadMs = 30_000 } = options
  const writers = new Map<string, PostgresStreamWriter>()
  const grown = new Map<string, Set<() => void>>()
  const unfollow = notifications.follow(channel, (run) => {
    for (const wake of grown.get(run) ?? []) wake()
  })
  const store: StreamStore = {
    async append(run, position, bytes) {
      await database.prepared('edge_append_part', appendPart, [
        run,
        position,
        bytes.length,
        secrets.sealBytes(purpose, bytes),
        channel,
      ])
    },
    async end(run, position, bytes, worth, lastsSeconds) {
      const sealed = bytes.length === 0 ? null : secrets.sealBytes(purpose, bytes)
      await database.prepared('edge_end_stream', endStream, [
        run,
        position,
        bytes.length,
        sealed,
        worth,
        lastsSeconds,
        channel,
      ])
    },
  }
  const renew = setInterval(() => {
    if (writers.size === 0) return
    renewLeases([...writers.keys()], database, unreadMs)
      .then((readElsewhere) => {
        for (const [run, writer] of writers) writer.giveUpUnread(unreadMs, readElsewhere.has(run))
      })
      .catch((error: unknown) =>
        log.warn({ err: error }, 'the claims on running answers could not be renewed'),
      )
  }, options.renewMs ?? renewMs)
  renew.unref()

  return {
    writer(run) {
      const writer = new PostgresStreamWriter({
        run,
        live: new LiveStream(),
        store,
        log,
        ended: () => writers.delete(run),
      })
      writers.set(run, writer)
      return writer
    },
    read(run, from, signal) {
      const here = writers.get(run)
      return here ? here.live.read(from, signal) : readStored(run, from, signal)
    },
    async drain(graceMs) {
      const late = sleep(graceMs, 'late', { ref: false })
      while (writers.size > 0) {
        const ended = Promise.all([...writers.values()].map((writer) => writer.ended))
        if ((await Promise.race([ended, late])) === 'late') return
      }
    },
    async close() {
      clearInterval(renew)
      await Promise.all([...writers.values()].map((writer) => writer.abandon()))
      unfollow()
    },
  }

  async function* readStored(
    run: string,
    from: number,
    signal: AbortSignal,
  ): AsyncGenerator<Buffer, undefined> {
    const news = newsOf(run)
    try {
      for (let position = from; ; ) {
        signal.throwIfAborted()
        const waiting = news.next(signal)
        const rows = await database.prepared<PartRow>('edge_read_parts', readParts, [run, position])
        const state = rows[0]?.state ?? 'cut'
        for (const row of rows) {
          if (row.sealed === null) continue
          const bytes = secrets.openBytes(purpose, row.sealed).subarray(position - Number(row.position))
          position += bytes.length
          yield bytes
        }
        if (state === 'cut' || (state === 'open' && rows[0]?.lapsed)) throw new StreamCut()
        if (state !== 'open') return
        await waiting
      }
    } finally {
      news.close()
    }
  }

  /** Says when there may be more to read; asked for before one looks, so that nothing falls between. */
  function newsOf(run: string) {
    let wake: () => void = () => undefined
    const heard = () => wake()
    const listeners = grown.get(run) ?? new Set()
    grown.set(run, listeners.add(heard))
    return {
      next(signal: AbortSignal): Promise<void> {
        return new Promise((resolve) => {
          const timer = setTimeout(() => wake(), pollMs)
          wake = () => {
            clearTimeout(timer)
            signal.removeEventListener('abort', heard)
            resolve()
          }
          signal.addEventListener('abort', heard, { once: true })
        })
      },
      close() {
        wake()
        listeners.delete(heard)
        if (listeners.size === 0) grown.delete(run)
      },
    }
  }
}

/** Keeps the claims on `runs`; gives those that somebody reads in another process. */
async function renewLeases(
  runs: readonly string[],
  database: Pick<SubgraphDatabase, 'prepared'>,
  unreadMs: number,
): Promise<Set<string>> {
  const rows = await database.prepared<{ id: string }>(
    'edge_renew_leases',
    `with renewed as (
       update edge.stream set lease_until = clock_timestamp() + make_interval(secs => $2)
       where id = any($1::uuid[]) and state = 'open'
       returning id, read_at
     )
     select id from renewed where read_at > clock_timestamp() - make_interval(secs => $3)`,
    [runs, leaseSeconds, unreadMs / 1000],
  )
  return new Set(rows.map(({ id }) => id))
}

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

/** Also leaves word that somebody reads, while the log grows. */
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
