import { existsSync, realpathSync, rmSync } from 'node:fs'
import { access, constants, mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { EmbeddedPostgresError, explainFailure } from './embedded-postgres-error.ts'
import { locatePostgresBinaries } from './postgres-binaries.ts'
import {
  type ClusterPlaces,
  clusterExists,
  clusterPlaces,
  createCluster,
  DATABASE,
  ensurePassword,
  resetPassword,
  SUPERUSER,
} from './postgres-cluster.ts'
import { launchServer, POLL_MS, type ServerOptions, stopServer } from './postgres-server.ts'
import { choosePostgresUser, giveTo, letThrough } from './postgres-user.ts'
import { isPostmasterOf, readPostmaster } from './postmaster.ts'

export { EmbeddedPostgresError } from './embedded-postgres-error.ts'

/** A running PostgreSQL 18 on a data folder. It outlives this process unless it is stopped. */
export interface EmbeddedPostgres {
  /** Connection string of the database `jan`, password included. */
  url: string
  port: number
  pid: number
  /** The database was made by this call. */
  firstStart: boolean
  /** The server ran already: left behind by a dead process, or in use by a living one (the instance lock tells which). */
  adopted: boolean
  /**
   * Stops the server and waits until it is gone. Only the holder of the instance lock may call it: whoever is refused the
   * lock leaves the server alone, even one that it started itself.
   */
  stop(): Promise<void>
}

export interface EmbeddedPostgresOptions {
  dataDir: string
  /** Told in a few words whatever takes long enough to be noticed. */
  onProgress?: (message: string) => void
  /** Told when a process of PostgreSQL has been started, more than once where several are: from then on it works beside this one. */
  onProcess?: () => void
}

/** Beyond this two processes are not racing, something is wrong. */
const RACE_LIMIT_MS = 30_000
const NOTICEABLE_MS = 2_000

/**
 * Starts the PostgreSQL of a data folder, or adopts the one that runs on it; makes the database on the first call. It
 * listens on 127.0.0.1 alone, on a random port, and asks for a random password.
 * @throws EmbeddedPostgresError with one sentence that tells the user what to do
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  try {
    return await startOrAdopt(options)
  } catch (error) {
    // What the file system refuses is the user's to mend; anything else is a fault of ours and stays as it is.
    const refused = ['ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'EROFS']
    const { code = '', message } = error as NodeJS.ErrnoException
    throw refused.includes(code) ? explainFailure(`error: ${message}`, resolve(options.dataDir)) : error
  }
}

async function startOrAdopt(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const onProgress = (message: string) => options.onProgress?.(message)
  const places = clusterPlaces(await dataFolder(options.dataDir))
  const binaries = await locatePostgresBinaries()
  const deadline = Date.now() + RACE_LIMIT_MS
  let firstStart = false
  for (;;) {
    const running = await adoptServer(places, onProgress)
    if (running)
      return handle({ ...running, places, firstStart, adopted: true, stop: () => stop(running.pid) })

    const user = choosePostgresUser({ ...places, binaries: binaries.root })
    const server = { places, binaries, user, onProcess: () => options.onProcess?.() }
    firstStart = (await prepareCluster(server, onProgress)) || firstStart
    const password = ensurePassword(places, user)
    const launched = await noticeable(launchServer(server), () => onProgress('Recovering the database'))
    if (launched !== 'retry') {
      const { pid, port } = launched
      return handle({
        pid,
        port,
        password,
        places,
        firstStart,
        adopted: false,
        stop: () => stopServer(pid, server),
      })
    }
    if (Date.now() > deadline) {
      throw new EmbeddedPostgresError(
        `Processes of an earlier PostgreSQL still hold ${places.cluster}: end them, then start again.`,
      )
    }
    await sleep(50)
  }

  function stop(pid: number): Promise<void> {
    return stopServer(pid, { places, binaries, user: { kind: 'same' } })
  }
}

interface Handle extends Omit<EmbeddedPostgres, 'url'> {
  password: string
  places: ClusterPlaces
}

function handle({ pid, port, firstStart, adopted, password, stop }: Handle): EmbeddedPostgres {
  let stopping: Promise<void> | undefined
  return {
    url: connectionString(password, port),
    port,
    pid,
    firstStart,
    adopted,
    stop: () => {
      stopping ??= stop()
      return stopping
    },
  }
}

function connectionString(password: string, port: number): string {
  return `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/${DATABASE}`
}

async function dataFolder(path: string): Promise<string> {
  const folder = resolve(path)
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw new EmbeddedPostgresError(
      `The data folder ${folder} cannot be written: make it writable for your user, or set JAN_DATA_DIR to another folder.`,
      { cause },
    )
  }
  // PostgreSQL names its folder by the real path, and so must we to recognise it.
  return realpathSync(folder)
}

/** Makes the cluster where there is none and puts it into the hands of the user who runs it. */
async function prepareCluster(
  server: ServerOptions,
  onProgress: (message: string) => void,
): Promise<boolean> {
  const { places, user } = server
  const exists = await clusterExists(places)
  const passwordKept = existsSync(places.passwordFile)
  letThrough(user, places.dataDir)
  const password = ensurePassword(places, user)
  if (!exists) {
    onProgress('Creating the database (once)')
    await createCluster(server)
    return true
  }
  giveTo(user, places.cluster)
  removeForeignPidFile(places.cluster)
  if (!passwordKept) await resetPassword(server, password)
  return false
}

/**
 * After a crash and a restart of the machine another program may have the pid that `postmaster.pid` names, and PostgreSQL
 * would then refuse to start.
 */
function removeForeignPidFile(cluster: string): void {
  const server = readPostmaster(cluster)
  if (server && !isPostmasterOf(server.pid, cluster)) rmSync(join(cluster, 'postmaster.pid'), { force: true })
}

/** Waits for a server that starts or stops; undefined when none runs on the cluster. */
async function adoptServer(
  places: ClusterPlaces,
  onProgress: (message: string) => void,
): Promise<{ pid: number; port: number; password: string } | undefined> {
  let told = false
  const start = Date.now()
  for (;;) {
    const server = readPostmaster(places.cluster)
    if (!server || !isPostmasterOf(server.pid, places.cluster)) return undefined
    if (server.status === 'ready') {
      const password = existsSync(places.passwordFile) ? ensurePassword(places, { kind: 'same' }) : ''
      if (await answers(connectionString(password, server.port), places)) return { ...server, password }
      if (Date.now() - start > RACE_LIMIT_MS) throw unresponsive(server.pid, places)
    }
    if (!told && Date.now() - start > NOTICEABLE_MS) {
      told = true
      onProgress(`Waiting for the PostgreSQL that runs on the data folder (pid ${server.pid})`)
    }
    await sleep(POLL_MS)
  }
}

function unresponsive(pid: number, { cluster }: ClusterPlaces): EmbeddedPostgresError {
  return new EmbeddedPostgresError(
    `The PostgreSQL that runs on ${cluster} (pid ${pid}) does not answer: stop it with kill -INT ${pid}, then start again.`,
  )
}

/** Connects to a server that runs already; false while it does not take connections (it may be stopping). */
async function answers(url: string, { cluster, passwordFile }: ClusterPlaces): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {
    // The server went away after it had answered; the next look at its pid file sees that.
  })
  try {
    await client.connect()
    const { rows } = await client.query<{ folder: string }>(
      `select current_setting('data_directory') as folder`,
    )
    return rows[0]?.folder === cluster
  } catch (error) {
    const code = (error as { code?: string }).code
    if (code === '28P01' || code === '28000') {
      throw new EmbeddedPostgresError(
        `A PostgreSQL runs on ${cluster} with another password than ${passwordFile} holds: stop it, then start again.`,
        { cause: error },
      )
    }
    return false
  } finally {
    await client.end().catch(() => {
      // The connection was never made or is gone: nothing is left to close.
    })
  }
}

async function noticeable<T>(work: Promise<T>, tell: () => void): Promise<T> {
  const timer = setTimeout(tell, NOTICEABLE_MS)
  try {
    return await work
  } finally {
    clearTimeout(timer)
  }
}
