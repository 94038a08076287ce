import { randomBytes, randomUUID } from 'node:crypto'
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { EmbeddedPostgresError, explainFailure } from './embedded-postgres-error.ts'
import { POSTGRES_MAJOR, type PostgresBinaries } from './postgres-binaries.ts'
import { giveTo, type PostgresUser, spawnAs } from './postgres-user.ts'

export const SUPERUSER = 'postgres'
export const DATABASE = 'jan'

/** Where the embedded PostgreSQL keeps its things in a data folder. */
export interface ClusterPlaces {
  dataDir: string
  cluster: string
  passwordFile: string
  logFile: string
}

export function clusterPlaces(dataDir: string): ClusterPlaces {
  return {
    dataDir,
    cluster: join(dataDir, 'postgres'),
    passwordFile: join(dataDir, 'postgres.password'),
    logFile: join(dataDir, 'postgres.log'),
  }
}

interface ClusterOptions {
  places: ClusterPlaces
  binaries: PostgresBinaries
  user: PostgresUser
  /** Told when a process of PostgreSQL has been started. */
  onProcess?: () => void
}

/** @throws EmbeddedPostgresError when the folder holds something that the bundled PostgreSQL cannot open */
export async function clusterExists({ cluster }: ClusterPlaces): Promise<boolean> {
  const version = await readFile(join(cluster, 'PG_VERSION'), 'utf8').catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    },
  )
  if (version?.trim() === POSTGRES_MAJOR) return true
  if (version !== undefined) {
    throw new EmbeddedPostgresError(
      `${cluster} was made by PostgreSQL ${version.trim()}, but this is PostgreSQL ${POSTGRES_MAJOR}: dump and restore it with both versions, or set JAN_DATA_DIR to a new folder.`,
    )
  }
  if (!existsSync(cluster) || (await readdir(cluster)).length === 0) return false
  throw new EmbeddedPostgresError(
    `${cluster} is not a PostgreSQL data folder: move it away, or set JAN_DATA_DIR to another folder.`,
  )
}

/**
 * Makes the cluster with its database, whole or not at all: it is built beside and renamed, so that an interrupted first
 * start leaves nothing half done. Of two processes that do this at once the second takes the first one's.
 */
export async function createCluster(options: ClusterOptions): Promise<void> {
  const { places, user } = options
  await removeLeftovers(places.dataDir)
  const building = join(places.dataDir, `${BUILDING}${randomUUID()}`)
  await mkdir(building, { mode: 0o700 })
  giveTo(user, building)
  try {
    await runInitdb(options, building)
    // No ICU and no libc locale: the same order and case rules on every machine.
    await runSingleUser(options, building, `CREATE DATABASE ${DATABASE};`)
    await rename(building, places.cluster).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST' && error.code !== 'EPERM') throw error
      if (!existsSync(join(places.cluster, 'PG_VERSION'))) throw error
    })
  } finally {
    await rm(building, { recursive: true, force: true })
  }
}

/** The superuser's password, made on the first call. Its file is readable by the user who runs PostgreSQL alone (and root). */
export function ensurePassword({ passwordFile }: ClusterPlaces, user: PostgresUser): string {
  if (!existsSync(passwordFile)) {
    const draft = `${passwordFile}.${randomUUID()}`
    writeFileSync(draft, `${randomBytes(24).toString('hex')}\n`, { mode: 0o600, flush: true })
    giveTo(user, draft)
    try {
      // A link either appears whole or fails because another process was first.
      linkSync(draft, passwordFile)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    } finally {
      rmSync(draft)
    }
  }
  giveTo(user, passwordFile)
  return readFileSync(passwordFile, 'utf8').trim()
}

/** Gives the superuser this password, in a cluster that does not run. */
export async function resetPassword(options: ClusterOptions, password: string): Promise<void> {
  const statement = `ALTER USER ${SUPERUSER} PASSWORD '${password}';`
  await runSingleUser(options, options.places.cluster, statement)
}

const BUILDING = 'postgres.building-'

async function removeLeftovers(dataDir: string): Promise<void> {
  const names = (await readdir(dataDir)).filter((name) => name.startsWith(BUILDING))
  for (const name of names) {
    const path = join(dataDir, name)
    const age = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now())
    // A young one may belong to a process that is at it right now.
    if (age > 10 * 60_000) await rm(path, { recursive: true, force: true })
  }
}

async function runInitdb(
  { places, binaries, user, onProcess }: ClusterOptions,
  folder: string,
): Promise<void> {
  const args = [
    `--pgdata=${folder}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${places.passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
  ]
  await run({ user, file: binaries.initdb, args, cwd: folder, folder: places.cluster, onProcess })
}

/** PostgreSQL as a single process without a port, for the statements that must come before the first start. */
async function runSingleUser(options: ClusterOptions, cluster: string, statement: string): Promise<void> {
  const { binaries, user, places } = options
  const args = ['--single', '-j', '-D', cluster, 'postgres']
  await run({
    user,
    file: binaries.postgres,
    args,
    cwd: cluster,
    folder: places.cluster,
    input: `${statement}\n\n`,
  })
}

interface Run {
  user: PostgresUser
  file: string
  args: string[]
  cwd: string
  /** What a failure's message names. */
  folder: string
  input?: string
  onProcess?: (() => void) | undefined
}

function run({ user, file, args, cwd, folder, onProcess, input = '' }: Run): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawnAs(user, file, args, { cwd, stdio: ['pipe', 'pipe', 'pipe'] })
    onProcess?.()
    let output = ''
    const collect = (text: string) => {
      output += text
    }
    child.stdout?.setEncoding('utf8').on('data', collect)
    child.stderr?.setEncoding('utf8').on('data', collect)
    child.stdin?.on('error', () => {
      // It ended before it read; its exit code says why.
    })
    child.stdin?.end(input)
    child.on('error', (error) => reject(explainFailure(`error: ${error.message}`, folder)))
    child.on('close', (code) => {
      if (code === 0 && !/\b(ERROR|FATAL):/.test(output)) resolve()
      else reject(explainFailure(output, folder))
    })
  })
}
