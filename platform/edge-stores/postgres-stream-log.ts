import { setTimeout as sleep } from 'node:timers/promises'
import type { SubgraphDatabase } from '../db.ts'
import type { Logger } from '../log.ts'
import type { Notifications } from '../notifications.ts'
import type { SecretBox } from '../secret-box.ts'
import { type GrowthNews, growthNews } from './growth-news.ts'
import { LiveStream } from './live-stream.ts'
import { type StreamParts, streamParts } from './postgres-stream-parts.ts'
import { PostgresStreamWriter } from './postgres-stream-writer.ts'
import { renewMs } from './stream-lease.ts'
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

/**
 * Logs in PostgreSQL. A run of this process is read from memory while it lasts; other processes, and later askers, read
 * the stored parts, woken by notifications. Parts are sealed: they hold answers.
 */
export function postgresStreamLog(options: PostgresStreamLogOptions): PostgresStreamLog {
  const { database, notifications, secrets, log, unreadMs = 30_000 } = options
  const writers = new Map<string, PostgresStreamWriter>()
  const parts = streamParts(database, secrets)
  const news = growthNews(notifications)
  const renew = setInterval(() => {
    if (writers.size === 0) return
    parts
      .renew([...writers.keys()], unreadMs)
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
        store: parts,
        log,
        ended: () => writers.delete(run),
      })
      writers.set(run, writer)
      return writer
    },
    read(run, from, signal) {
      const here = writers.get(run)
      return here ? here.live.read(from, signal) : readStored({ parts, news }, run, from, signal)
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
      news.close()
    },
  }
}

/** Reads what is stored, as far as it is, and then what comes. */
async function* readStored(
  { parts, news }: { readonly parts: StreamParts; readonly news: GrowthNews },
  run: string,
  from: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer, undefined> {
  const growth = news.of(run)
  try {
    for (let position = from; ; ) {
      signal.throwIfAborted()
      const grown = growth.next(signal)
      const { bytes, state } = await parts.read(run, position)
      for (const part of bytes) {
        position += part.length
        yield part
      }
      if (state === 'cut' || state === 'lapsed') throw new StreamCut()
      if (state !== 'open') return
      await grown
    }
  } finally {
    growth.close()
  }
}
