import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

/**
 * What is measured has the first core for itself; the load, the upstream and everything else share the others. Without
 * `taskset` (it is on every Linux) or a second core the system places them as it likes, and the report says so.
 */
const serverCore = '0'
/** How many there are; asked before this process leaves one of them. */
export const coreCount = availableParallelism()
const otherCores = `1-${coreCount - 1}`
const everyCore = `0-${coreCount - 1}`

/** Keeps this process, and so what it starts, off the server's core. @returns whether cores can be told apart here */
export function leaveServerCore(): boolean {
  return coreCount > 1 && moveTo(otherCores, process.pid)
}

/** A command line that runs on the server's core. */
export function onServerCore(command: readonly string[], separate: boolean): readonly string[] {
  return separate ? ['taskset', '-c', serverCore, ...command] : command
}

/** Lets what a server has started, its database, run anywhere: in earnest it would be another machine's. */
export function freeDescendants(pid: number): void {
  for (const child of childrenOf(pid)) {
    moveTo(everyCore, child)
    freeDescendants(child)
  }
}

function moveTo(cores: string, pid: number): boolean {
  try {
    execFileSync('taskset', ['-a', '-c', '-p', cores, String(pid)], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function childrenOf(pid: number): readonly number[] {
  if (process.platform !== 'linux') return []
  const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return list.split(' ').filter(Boolean).map(Number)
}
