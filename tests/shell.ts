import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

/** What pasted commands gave. */
export interface ShellResult {
  readonly code: number | null
  readonly stdout: string
  /** The HTTP statuses of their curl calls, in order. */
  readonly statuses: readonly number[]
}

/** curl as it is, but telling its status on stderr, where it disturbs no pipe. */
const preamble = `curl() { command curl --max-time 15 -w '%{stderr}\\nstatus %{http_code}\\n' "$@"; }`

/** Runs commands as pasted into a terminal. @param variables what earlier commands have set */
export async function runShell(
  commands: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<ShellResult> {
  const child = spawn('bash', ['-c', `${preamble}\n${commands}`], {
    env: { PATH: process.env.PATH, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ])
  return {
    code,
    stdout,
    statuses: [...stderr.matchAll(/^status (\d+)$/gm)].map(([, status]) => Number(status)),
  }
}
