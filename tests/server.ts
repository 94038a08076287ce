import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../platform/testing/free-port.ts'
import { createTestDatabase } from '../platform/testing/test-database.ts'

/** The platform as its users start it: processes of its own on a PostgreSQL of its own. */
export interface TestServer {
  /** Where REST and `/graphql` are, as `http://127.0.0.1:41234`. */
  readonly url: string
  /** The URL of its database. */
  readonly databaseUrl: string
  /** The key of the first administrator. */
  readonly adminKey: string
  /** The ids of its processes, the edge last. */
  pids(): number[]
  /** How many of its processes have not ended. */
  running(): number
  /** What its processes have printed so far. */
  output(): string
  /** Ends all of its processes at once, as a crash would. */
  kill(): Promise<void>
  /** Starts it again on the same database and port. */
  start(): Promise<void>
  stop(): Promise<void>
}

/** How the platform is laid out; set by the jest project (`jest.config.js`), so that one suite runs against both. */
export type ServerMode = 'one-process' | 'split'

/** The mode that this test run asks for. */
export const serverMode: ServerMode = (globalThis as { serverMode?: ServerMode }).serverMode ?? 'one-process'

const adminKey = `sk_live_${'0123456789abcdef'.repeat(3)}`
const root = new URL('..', import.meta.url)

/**
 * A platform of the file's own. What the URL alone is enough for shares one: `sharedTestServer`.
 * @param environment variables on top of quiet defaults (no discovery of local runtimes)
 */
export async function startTestServer(
  environment: Readonly<Record<string, string>> = {},
  mode = serverMode,
): Promise<TestServer> {
  const database = await createTestDatabase()
  const mediaFolder = await mkdtemp(join(tmpdir(), 'jan-media-'))
  const port = await freePort()
  const shared = {
    PATH: process.env.PATH ?? '',
    ENVIRONMENT: 'test',
    LOG_LEVEL: 'warn',
    MODEL_DISCOVERY: 'false',
    DEVELOPMENT_MODEL: 'true',
    JAN_SECRET: 'a root secret for tests only',
    JAN_ADMIN_API_KEY: adminKey,
    DATABASE_URL: database.url,
    DATABASE_POOL_SIZE: '4',
    MEDIA_LOCAL_STORAGE_PATH: mediaFolder,
    SHUTDOWN_GRACE: '10s',
    METRICS_PORT: '0',
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    ...environment,
  }
  const commands = mode === 'split' ? await splitCommands(shared, port) : [oneProcess(shared, port)]
  const processes: ChildProcess[] = []
  const printed: string[] = []

  const start = async () => {
    for (const command of commands) {
      processes.push(run(command, printed))
      if (command.ready) await answers(command.ready, printed)
    }
  }
  const end = async (signal: NodeJS.Signals) => {
    const ending = processes.splice(0).reverse()
    const ended = await Promise.all(ending.map((child) => endProcess(child, signal)))
    if (!ended.every(Boolean)) throw new Error(`The server did not stop well:\n${printed.join('')}`)
  }

  try {
    await start()
  } catch (error) {
    // Nobody else could end what has come up too late.
    await end('SIGKILL')
    throw error
  }
  return {
    url: `http://127.0.0.1:${port}`,
    databaseUrl: database.url,
    adminKey,
    pids: () => processes.flatMap(({ pid }) => pid ?? []),
    running: () => processes.filter((child) => !hasEnded(child)).length,
    output: () => printed.join(''),
    start,
    kill: () => end('SIGKILL'),
    async stop() {
      await end('SIGTERM')
      await database.drop()
      await rm(mediaFolder, { recursive: true, force: true })
    },
  }
}

interface Command {
  readonly args: readonly string[]
  readonly env: Record<string, string>
  /** Wait for this URL before the next command is run. */
  readonly ready: string | null
}

function oneProcess(shared: Record<string, string>, port: number): Command {
  return {
    args: ['wiring/main.js'],
    env: { ...shared, PORT: String(port) },
    ready: `http://127.0.0.1:${port}/readyz`,
  }
}

async function splitCommands(shared: Record<string, string>, edgePort: number): Promise<Command[]> {
  const names = ['accounts', 'projects', 'memory', 'conversations', 'media', 'models']
  const ports = await Promise.all(names.map(() => freePort()))
  const SUBGRAPH_URLS = names.map((name, at) => `${name}=http://127.0.0.1:${ports[at]}`).join(',')
  const own = names.map((name, at): Command => {
    const ready = `http://127.0.0.1:${ports[at]}/readyz`
    return {
      args: ['wiring/main.js', 'subgraph', name],
      env: { ...shared, SUBGRAPH_URLS, PORT: String(ports[at]) },
      ready,
    }
  })
  const edge: Command = {
    args: ['wiring/main.js', 'edge'],
    env: { ...shared, SUBGRAPH_URLS, PORT: String(edgePort) },
    ready: `http://127.0.0.1:${edgePort}/readyz`,
  }
  return [...own, edge]
}

function run({ args, env }: Command, printed: string[]): ChildProcess {
  const child = spawn(process.execPath, [...args], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.on('data', (bytes: Buffer) => printed.push(bytes.toString()))
  child.stderr.on('data', (bytes: Buffer) => printed.push(bytes.toString()))
  return child
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null

/** Longer than a server takes that ends itself because it is late, and says why; shorter than a test's clean-up may take. */
const stopLimitMs = 27_000

/** @returns whether the process ended by itself, and well; if not in time, it is killed */
async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<boolean> {
  if (hasEnded(child)) return true
  const exited = once(child, 'exit')
  const late = setTimeout(() => child.kill('SIGKILL'), stopLimitMs)
  child.kill(signal)
  await exited
  clearTimeout(late)
  return signal === 'SIGKILL' || child.exitCode === 0
}

const startLimitMs = 50_000

async function answers(url: string, printed: readonly string[]): Promise<void> {
  const deadline = Date.now() + startLimitMs
  while (Date.now() < deadline) {
    const response = await fetch(url).catch(() => null)
    if (response?.ok) return
    await sleep(50)
  }
  throw new Error(`The server did not come up:\n${printed.join('')}`)
}
