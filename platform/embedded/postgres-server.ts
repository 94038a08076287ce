import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, renameSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { EmbeddedPostgresError, explainFailure } from './embedded-postgres-error.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'
import type { ClusterPlaces } from './postgres-cluster.ts'
import { type PostgresUser, spawnAs } from './postgres-user.ts'
import { isAlive, isPostmasterOf, readPostmaster } from './postmaster.ts'

/** How often the state of a server that starts or stops is looked at. A look is one small file. */
export const POLL_MS = 3

const FAST_SHUTDOWN_MS = 20_000
const IMMEDIATE_SHUTDOWN_MS = 5_000
const LOG_LIMIT_BYTES = 10_000_000

/**
 * Given on the command line and not in postgresql.conf, so that a new version of the platform brings its own to every
 * existing cluster. Durability stays PostgreSQL's default: fsync, full page writes, synchronous commit.
 */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '60',
  shared_buffers: '128MB',
  // Nobody replicates from a laptop's server; this writes less.
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '512MB',
  jit: 'off',
  // A search waits for pages that lie apart: three readers, the default, leave a disk idle that answers more at once.
  io_workers: '8',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // The process id tells our lines from those of a server that tried to start at the same moment.
  log_line_prefix: '%m [%p] ',
  log_checkpoints: 'off',
  // A failed statement and the rows in its details are users' text, which no log of ours holds.
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
}

export interface ServerOptions {
  places: ClusterPlaces
  binaries: PostgresBinaries
  user: PostgresUser
  /** Told when a process of PostgreSQL has been started. */
  onProcess?: () => void
}

export type LaunchResult = { pid: number; port: number } | 'retry'

/**
 * Starts the server and waits until it takes connections. It is detached: Ctrl-C reaches the whole process group, and the
 * database must outlive the requests that still use it.
 * @returns 'retry' when another process was faster, with the cluster or with the port
 * @throws EmbeddedPostgresError when it ends for any other reason
 */
export async function launchServer({
  places,
  binaries,
  user,
  onProcess,
}: ServerOptions): Promise<LaunchResult> {
  const port = await freePort()
  const log = openLog(places.logFile)
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const child = spawnAs(user, binaries.postgres, ['-D', places.cluster, '-p', String(port), ...settings], {
    cwd: places.cluster,
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  })
  let ended: string | undefined
  child.on('error', (error) => {
    ended = `error: ${error.message}`
  })
  child.on('exit', () => {
    ended ??= ''
  })
  closeSync(log.fd)
  onProcess?.()
  while (ended === undefined) {
    const server = readPostmaster(places.cluster)
    if (server?.pid === child.pid && server?.status === 'ready') {
      child.unref()
      return { pid: server.pid, port }
    }
    await sleep(POLL_MS)
  }
  const output = ended + linesOf(child.pid, places.logFile, log.offset)
  if (/lock file .* already exists|pre-existing shared memory block/.test(output)) return 'retry'
  if (/Address already in use|could not create any TCP\/IP sockets/.test(output)) return 'retry'
  throw explainFailure(output, places.cluster)
}

/**
 * Stops a server, ours or an adopted one, and waits until it is gone. Fast shutdown: running statements are cancelled and
 * everything committed is written. Falls back to an immediate one, from which the next start recovers.
 */
export async function stopServer(pid: number, { places, binaries }: ServerOptions): Promise<void> {
  if (process.platform === 'win32') {
    await promisify(execFile)(binaries.pgCtl, ['stop', '-D', places.cluster, '-m', 'fast', '-w'])
    return
  }
  if (await signalAndWait(pid, 'SIGINT', places.cluster, FAST_SHUTDOWN_MS)) return
  if (await signalAndWait(pid, 'SIGQUIT', places.cluster, IMMEDIATE_SHUTDOWN_MS)) return
  throw new EmbeddedPostgresError(`PostgreSQL (pid ${pid}) does not stop: end it with kill -9 ${pid}.`)
}

async function signalAndWait(
  pid: number,
  signal: NodeJS.Signals,
  cluster: string,
  limit: number,
): Promise<boolean> {
  if (!isPostmasterOf(pid, cluster)) return true
  const deadline = Date.now() + limit
  process.kill(pid, signal)
  // A process that is ending loses its command line before it is gone, so only its life counts from here on.
  while (isAlive(pid)) {
    if (Date.now() > deadline) return !isPostmasterOf(pid, cluster)
    await sleep(POLL_MS)
  }
  return true
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port')
  return address.port
}

/** Opens the log for appending; one that has grown large makes room and is kept once. */
function openLog(file: string): { fd: number; offset: number } {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0
  if (size > LOG_LIMIT_BYTES) renameSync(file, `${file}.1`)
  return { fd: openSync(file, 'a', 0o600), offset: size > LOG_LIMIT_BYTES ? 0 : size }
}

/** What the process wrote since `offset`, and lines without a process id, which come from before it could log. */
function linesOf(pid: number | undefined, file: string, offset: number): string {
  return readFileSync(file)
    .subarray(offset)
    .toString('utf8')
    .split('\n')
    .filter((line) => line.includes(` [${pid}] `) || !/ \[\d+\] /.test(line))
    .join('\n')
}
