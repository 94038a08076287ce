import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** What PostgreSQL writes about itself into `postmaster.pid` of its cluster. */
export interface Postmaster {
  pid: number
  /** 0 while the server has not chosen it yet. */
  port: number
  status: 'starting' | 'ready' | 'stopping'
}

/** Reads `postmaster.pid`; undefined when there is none or it is not complete yet. The process may be long gone. */
export function readPostmaster(cluster: string): Postmaster | undefined {
  const lines = readPidFile(cluster)?.split('\n') ?? []
  const pid = Number(lines[0])
  if (!Number.isInteger(pid) || pid <= 0) return undefined
  return { pid, port: Number(lines[3]) || 0, status: statusOf(lines[7]?.trim()) }
}

/** True when that process lives and is a PostgreSQL server on this cluster, not another program that got its pid. */
export function isPostmasterOf(pid: number, cluster: string): boolean {
  if (!isAlive(pid)) return false
  const [file = '', ...args] = commandLine(pid)
  // On Windows nothing cheap tells; whoever connects checks the data folder anyway.
  if (process.platform === 'win32') return true
  return basename(file) === 'postgres' && args.includes(cluster)
}

/** True when the process runs, whoever owns it. One that has ended and only waits to be collected does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  return !isZombie(pid)
}

/** The first process of a container may collect an orphan late or never. */
function isZombie(pid: number): boolean {
  if (process.platform !== 'linux') return false
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return /^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))
  } catch {
    // It was collected between the two looks.
    return true
  }
}

function readPidFile(cluster: string): string | undefined {
  try {
    return readFileSync(join(cluster, 'postmaster.pid'), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function statusOf(line: string | undefined): Postmaster['status'] {
  return line === 'ready' || line === 'stopping' ? line : 'starting'
}

/** Empty for a process that is gone, and on Linux for a zombie. */
function commandLine(pid: number): string[] {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    if (process.platform === 'win32') return []
    // Folders with spaces do not survive this listing's split, so the whole line stands beside its words.
    const line = execFileSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).trim()
    const [file = '', rest = ''] = line.split(/ -D /, 2)
    return [file, ...rest.split(/ -p /, 1)]
  } catch {
    // It ended between the two looks.
    return []
  }
}
