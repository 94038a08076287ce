import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { leaveServerCore, onServerCore } from './cores.ts'

/** A process that this bench started, and that answers. */
export interface RunningChild {
  readonly pid: number
  /** Milliseconds from the start to the first answer. */
  readonly readyMs: number
  stop(): Promise<void>
}

/** What to start, relative to the project's root, and where it will answer. */
export interface ChildOptions {
  readonly script: string
  readonly args?: readonly string[]
  /** The whole environment but PATH: nothing of the caller's shell may change a figure. */
  readonly env?: Readonly<Record<string, string>>
  /** Answers 2xx once the process is ready. */
  readonly readyUrl: string
  /** Part of the load, as the upstream is, and no server that is measured. */
  readonly isLoad?: boolean
}

/** The project's folder. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/** Whether servers have a core of their own in this run. */
export const separateCores = leaveServerCore()

const startLimitMs = 60_000
const stopLimitMs = 15_000

/** Starts a script with this very Node and waits until it answers. @throws Error with what it printed */
export async function startChild(options: ChildOptions): Promise<RunningChild> {
  const started = performance.now()
  const child = spawnChild(options)
  let printed = ''
  const keep = (text: string) => {
    printed = (printed + text).slice(-10_000)
  }
  child.stdout?.setEncoding('utf8').on('data', keep)
  child.stderr?.setEncoding('utf8').on('data', keep)
  try {
    await answered(child, options.readyUrl)
  } catch (error) {
    await endChild(child)
    throw new Error(`${options.script} did not start:\n${printed}`, { cause: error })
  }
  return { pid: child.pid ?? 0, readyMs: performance.now() - started, stop: () => endChild(child) }
}

/** Starts a script with this very Node, with nothing to wait for. */
export function spawnChild({
  script,
  args = [],
  env = {},
  isLoad = false,
}: Omit<ChildOptions, 'readyUrl'>): ChildProcess {
  const [command = '', ...rest] = onServerCore([process.execPath, script, ...args], separateCores && !isLoad)
  return spawn(command, rest, {
    cwd: root,
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

async function answered(child: ChildProcess, url: string): Promise<void> {
  const deadline = Date.now() + startLimitMs
  while (Date.now() < deadline && child.exitCode === null && child.signalCode === null) {
    const response = await fetch(url).catch(() => null)
    await response?.body?.cancel()
    if (response?.ok) return
    await sleep(20)
  }
  throw new Error(`nothing answers at ${url}`)
}

/** Asks a process to end, and makes it end if it does not. */
export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  const late = setTimeout(() => child.kill('SIGKILL'), stopLimitMs)
  child.kill('SIGTERM')
  await exited
  clearTimeout(late)
}
