import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Logger } from './log.ts'

/** Short messages between processes over PostgreSQL's NOTIFY: hints that something changed, never the data itself. */
export interface Notifications {
  /** Sends once the surrounding statement commits. `payload` is at most 8,000 bytes. */
  publish(channel: string, payload: string): Promise<void>
  /** Follows a channel until the returned function is called. */
  follow(channel: string, receive: (payload: string) => void): () => void
  /** Whether messages arrive at the moment. Caches that rely on them must not be trusted while this is false. */
  readonly connected: boolean
  /** Called whenever the link goes down or comes up again: forget what might be stale. */
  onChange(listener: (connected: boolean) => void): () => void
  /**
   * Settles when everything that was committed before this call has been heard: PostgreSQL delivers what is pending before
   * it answers a statement on the same connection. At once while the link is down: then nothing is believed anyway. A link that
   * does not answer within a second counts as lost.
   */
  caughtUp(): Promise<void>
  close(): Promise<void>
}

const retryMs = 1_000
/** How long the database may take to open the link, and to answer on it, before the link counts as lost. */
const connectMs = 5_000
const answerMs = 1_000

/** One LISTEN connection beside the pool; it reconnects for ever, until closed. */
export async function openNotifications(url: string, pool: pg.Pool, log: Logger): Promise<Notifications> {
  const receivers = new Map<string, Set<(payload: string) => void>>()
  const listeners = new Set<(connected: boolean) => void>()
  let link: Link | undefined
  let connected = false
  let closed = false
  let retry: NodeJS.Timeout | undefined

  const change = (now: boolean) => {
    if (connected === now) return
    connected = now
    for (const listener of listeners) listener(now)
  }
  const lost = (error?: Error) => {
    link = undefined
    change(false)
    if (closed) return
    if (error) log.warn({ err: error }, 'the notification link broke; trying again')
    retry = setTimeout(() => {
      attempt = connect()
    }, retryMs)
  }
  const connect = async () => {
    const fresh = createLink(url, lost)
    fresh.client.on('notification', ({ channel, payload }) => {
      for (const receive of receivers.get(channel) ?? []) receive(payload ?? '')
    })
    try {
      await fresh.client.connect()
      for (const channel of receivers.keys()) await fresh.ask(listenTo(channel))
    } catch (error) {
      return fresh.drop(error as Error)
    }
    if (closed) return fresh.drop()
    if (fresh.dropped) return
    link = fresh
    change(true)
  }
  let attempt = connect()
  await attempt

  return {
    get connected() {
      return connected
    },
    async publish(channel, payload) {
      await pool.query('select pg_notify($1, $2)', [channel, payload])
    },
    follow(channel, receive) {
      const known = receivers.get(channel) ?? new Set()
      if (known.size === 0) {
        receivers.set(channel, known)
        const current = link
        current?.ask(listenTo(channel)).catch((error: Error) => current.drop(error))
      }
      known.add(receive)
      return () => known.delete(receive)
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async caughtUp() {
      const current = link
      await current?.ask('select 1').catch((error: Error) => current.drop(error))
    },
    async close() {
      closed = true
      clearTimeout(retry)
      await attempt
      await link?.drop()
    },
  }
}

function listenTo(channel: string): string {
  return `listen ${pg.escapeIdentifier(channel)}`
}

/** One connection, lost at most once. */
interface Link {
  readonly client: pg.Client
  readonly dropped: boolean
  /** Sends a statement when those before it are answered. */
  ask(statement: string): Promise<unknown>
  /** Reports the loss, then ends the connection; settles when it is gone. */
  drop(error?: Error): Promise<void>
}

function createLink(url: string, lost: (error?: Error) => void): Link {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'jan-notifications',
    keepAlive: true,
    connectionTimeoutMillis: connectMs,
    query_timeout: answerMs,
  })
  let gone: Promise<void> | undefined
  let last: Promise<unknown> = Promise.resolve()
  const drop = (error?: Error): Promise<void> => {
    if (gone) return gone
    // A client with an unanswered statement cuts its socket instead of taking leave, so a half-open link ends too.
    // A failure while ending says only that there was nothing left to end.
    gone = Promise.race([client.end().catch(() => undefined), sleep(answerMs, undefined, { ref: false })])
    lost(error)
    return gone
  }
  client.on('error', (error) => void drop(error))
  client.on('end', () => void drop())
  return {
    client,
    get dropped() {
      return gone !== undefined
    },
    ask(statement) {
      const asked = last.then(() => client.query(statement))
      last = asked.catch(() => undefined)
      return asked
    },
    drop,
  }
}
