import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** A program as somebody starts it at a terminal: the head of a process group of its own. */
export interface Program {
  readonly pid: number
  /** What it has printed so far, errors included. */
  output(): string
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
  /** Waits until it has printed this. @throws Error with all of its output if it ends first, or after `limitMs` */
  printed(pattern: RegExp, limitMs?: number): Promise<void>
  /** Sends a signal to the whole group, as a terminal does on Ctrl-C. */
  signalGroup(signal: NodeJS.Signals): void
}

/** How a program is started. */
export interface ProgramOptions {
  /** The whole environment but PATH. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

/** The root of the working tree. */
export const projectRoot = fileURLToPath(new URL('..', import.meta.url))

/** Starts a command; `node` is the Node that runs the tests. */
export function startProgram(
  [command = 'node', ...args]: readonly string[],
  { env = {}, cwd = projectRoot }: ProgramOptions = {},
): Program {
  const child = spawn(command === 'node' ? process.execPath : command, args, {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  let over = false
  const ended = once(child, 'close').then(([code, signal]) => {
    over = true
    return (code ?? signal) as number | NodeJS.Signals
  })
  const pid = child.pid ?? 0
  return {
    pid,
    output: () => output,
    ended,
    async printed(pattern, limitMs = 30_000) {
      const deadline = Date.now() + limitMs
      while (!pattern.test(output)) {
        if (over || Date.now() > deadline) throw new Error(`It did not print ${pattern}:\n${output}`)
        await sleep(10)
      }
    },
    signalGroup: (signal) => void process.kill(-pid, signal),
  }
}

/** Runs a command to its end; one that takes longer than `limitMs` is killed. */
export async function runProgram(
  command: readonly string[],
  options: ProgramOptions & { readonly limitMs?: number } = {},
): Promise<{ code: number | NodeJS.Signals; output: string }> {
  const program = startProgram(command, options)
  const timer = setTimeout(() => program.signalGroup('SIGKILL'), options.limitMs ?? 15_000)
  const code = await program.ended
  clearTimeout(timer)
  return { code, output: program.output() }
}
