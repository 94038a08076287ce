import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { isAlive } from './postmaster.ts'

/** The right to be the one process that works on a database. It lives and dies with a connection held open for it. */
export interface InstanceLock {
  release(): Promise<void>
  /**
   * Runs `stop`, which takes the database down, while the lock is still held. Releasing first would let the next process
   * take the lock and the server that is about to go.
   */
  releaseAfter(stop: () => Promise<void>): Promise<void>
  /** Called once when the connection is lost other than by release: another process may hold the lock from now on. */
  onLost(callback: (error: Error) => void): void
}

export interface InstanceLockOptions {
  databaseUrl: string
  /** The port on which this process serves, for the message that the refused one shows. */
  port: number
  pid?: number
}

/** Another living process holds the lock. */
export class InstanceLockedError extends Error {
  override readonly name = 'InstanceLockedError'
  readonly pid: number
  readonly port: number

  constructor({ pid, port }: { pid: number; port: number }) {
    super(
      `Another process already runs on this data folder (pid ${pid}, port ${port}): stop it, or set JAN_DATA_DIR to another folder.`,
    )
    this.pid = pid
    this.port = port
  }
}

/** The ASCII letters `jangraph` as a number: ours alone among the advisory locks of a database. */
const LOCK_KEY = 0x6a616e6772617068n.toString()
const DEAD_HOLDER_LIMIT_MS = 10_000
const TERMINATE_AFTER_MS = 300

/**
 * Takes the lock of a database or refuses at once. A holder whose process has died does not count: PostgreSQL frees its
 * lock within moments, and its session is ended if that takes longer.
 * @throws InstanceLockedError when a living process holds it
 */
export async function acquireInstanceLock(options: InstanceLockOptions): Promise<InstanceLock> {
  const { databaseUrl, port, pid = process.pid } = options
  // The name stands in pg_stat_activity exactly as long as the lock is held: no row of a table could be as true.
  const client = new pg.Client({
    connectionString: databaseUrl,
    application_name: holderName({ pid, port }),
    keepAlive: true,
  })
  const lost = watchLoss(client)
  try {
    await client.connect()
    await takeLock(client)
  } catch (error) {
    lost.ignore()
    await client.end()
    throw error
  }
  const release = async () => {
    lost.ignore()
    await client.end()
  }
  return {
    release,
    releaseAfter: async (stop) => {
      lost.ignore()
      try {
        await stop()
      } finally {
        await release()
      }
    },
    onLost: lost.subscribe,
  }
}

async function takeLock(client: pg.Client): Promise<void> {
  const start = Date.now()
  while (!(await tryLock(client))) {
    const holder = await readHolder(client)
    const waited = Date.now() - start
    if (holder && (isLiving(holder) || waited > DEAD_HOLDER_LIMIT_MS)) throw new InstanceLockedError(holder)
    if (!holder && waited > DEAD_HOLDER_LIMIT_MS) {
      throw new Error(`advisory lock ${LOCK_KEY} of this database is held by a program other than this one`)
    }
    if (holder && waited > TERMINATE_AFTER_MS) {
      await client.query('select pg_terminate_backend($1)', [holder.backend])
    }
    await sleep(20)
  }
}

async function tryLock(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1) as taken', [
    LOCK_KEY,
  ])
  return rows[0]?.taken === true
}

interface Holder {
  pid: number
  port: number
  host: string
  backend: number
}

async function readHolder(client: pg.Client): Promise<Holder | undefined> {
  const { rows } = await client.query<{ name: string; backend: number }>(
    `select a.application_name as name, a.pid as backend
       from pg_locks l join pg_stat_activity a on a.pid = l.pid
      where l.locktype = 'advisory' and l.granted and l.objsubid = 1
        and l.database = (select oid from pg_database where datname = current_database())
        and (l.classid::bigint << 32 | l.objid::bigint) = $1`,
    [LOCK_KEY],
  )
  const [row] = rows
  const [, pid, port, host] = /^jan instance pid=(\d+) port=(\d+) host=(\w+)$/.exec(row?.name ?? '') ?? []
  if (!row || !pid || !port || !host) return undefined
  return { pid: Number(pid), port: Number(port), host, backend: row.backend }
}

function holderName({ pid, port }: { pid: number; port: number }): string {
  return `jan instance pid=${pid} port=${port} host=${hostDigest()}`
}

/** Of another machine's process nothing can be known here; holding the lock, it counts as living. */
function isLiving({ pid, host }: Holder): boolean {
  return host !== hostDigest() || isAlive(pid)
}

/** PostgreSQL cuts an application name at 63 bytes, a host's name may be longer. */
function hostDigest(): string {
  return createHash('sha256').update(hostname()).digest('hex').slice(0, 12)
}

function watchLoss(client: pg.Client) {
  const callbacks: ((error: Error) => void)[] = []
  let loss: Error | undefined
  let ignored = false
  const lose = (error: Error) => {
    if (ignored || loss) return
    loss = error
    for (const callback of callbacks) callback(error)
  }
  client.on('error', lose)
  client.on('end', () => lose(new Error('the connection that holds the instance lock was closed')))
  return {
    ignore: () => {
      ignored = true
    },
    subscribe: (callback: (error: Error) => void) => {
      callbacks.push(callback)
      if (loss && !ignored) callback(loss)
    },
  }
}
